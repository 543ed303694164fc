"""Finding a customer by a few words, without an extension and under row-level security.

``search_vector`` holds one lexeme for each thing a person may be found by, kept by triggers. Each
starts with four hex digits of the tenant, so that the index of a big installation is as selective
as that of a small one, and goes on with

    smith             a word of a name, an e-mail address or a part of one
    ~smt              how a word of a name sounds
    #5550101          the last digits of a phone number, from four digits on
    =1042             a member number or another id, whole

``@@`` is not leakproof, so under row-level security it could not use its index. The search is
therefore a function of a role of its own, ``fairway_search``: nobody can sign in as it or act as
it but the owner; a policy lets it see rows, grants let it read six columns; it asks for the tenant
of the transaction's setting only and gives back ids.
"""

from django.db import migrations

# Lower case without accents, by what PostgreSQL has built in. The letters that Unicode does not
# take apart are written out.
PLAIN = """
CREATE FUNCTION fairway_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(value) = char_length(value) THEN lower(value)
    ELSE replace(replace(replace(translate(
        lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g')),
        'øłđðıʼ’‘`', 'olddi'''''''''), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')
    END
$$
"""

# How a plain word sounds, roughly, in English and Afrikaans: Smyth = Smith, Steyn = Stein,
# Coetzee = Kotze, Philip = Filip, Fourie = Vourie. Null for what is too short to tell.
SOUND = """
CREATE FUNCTION fairway_sound(word text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    code text := word;
BEGIN
    IF char_length(word) < 3 OR word ~ '[^a-z]' THEN
        RETURN NULL;
    END IF;
    code := replace(replace(replace(replace(code, 'sch', 'x'), 'tch', 'x'), 'ch', 'x'), 'sh', 'x');
    code := replace(replace(replace(replace(code, 'ph', 'f'), 'th', 't'), 'gh', ''), 'ck', 'k');
    code := replace(replace(replace(code, 'ce', 'se'), 'ci', 'si'), 'cy', 'sy');
    code := replace(replace(replace(code, 'tz', 's'), 'ts', 's'), 'ij', 'y');
    code := translate(code, 'cqzv', 'kksf');
    code := translate(left(code, 1), 'eiouy', 'aaaaa')
        || translate(substr(code, 2), 'aeiouyhw', '');
    code := regexp_replace(code, '(.)\\1+', '\\1', 'g');
    RETURN CASE WHEN char_length(code) > 1 THEN code END;
END
$$
"""

# Loops and not a query: a query inside costs ten times as much a row, and rows come by thousands.
DOCUMENT = """
CREATE FUNCTION fairway_search_document(
    tenant text, names text, emails text[], phones text[], ids text[]
) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    scope text := left(md5(tenant), 4);
    plain text := fairway_plain(names);
    words text[] := regexp_split_to_array(plain, '[^[:alnum:]]+');
    lexemes text[] := '{}';
    word text;
    sound text;
BEGIN
    IF position('''' IN plain) > 0 THEN  -- O'Brien is found as obrien too.
        words := words || regexp_split_to_array(replace(plain, '''', ''), '[^[:alnum:]]+');
    END IF;
    FOREACH word IN ARRAY words LOOP
        sound := fairway_sound(word);
        IF sound IS NOT NULL THEN
            lexemes := lexemes || (scope || '~' || sound);
        END IF;
    END LOOP;
    FOREACH word IN ARRAY emails LOOP
        plain := fairway_plain(word);
        words := words || plain || split_part(plain, '@', 2)
            || regexp_split_to_array(plain, '[^[:alnum:]]+');
    END LOOP;
    FOREACH word IN ARRAY words LOOP
        IF word <> '' THEN
            lexemes := lexemes || (scope || left(word, 200));
        END IF;
    END LOOP;
    FOREACH word IN ARRAY phones LOOP
        word := translate(word, '+ -()', '');
        FOR digits IN 4..coalesce(char_length(word), 0) LOOP
            lexemes := lexemes || (scope || '#' || right(word, digits));
        END LOOP;
    END LOOP;
    FOREACH word IN ARRAY ids LOOP
        IF word <> '' THEN
            lexemes := lexemes || (scope || '=' || left(fairway_plain(word), 200));
        END IF;
    END LOOP;
    RETURN array_to_tsvector(lexemes);
END
$$
"""

# A write of the column itself is never believed: it asks for the words anew. (Model.save() writes
# back what it once read, and an alias that changes sets it to null.)
KEEP = """
CREATE FUNCTION fairway_keep_search_vector() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emails text[] := ARRAY[NEW.email];
    phones text[] := ARRAY[NEW.phone_number];
    ids text[] := ARRAY[NEW.scl_member_id::text];
BEGIN
    IF NEW.external_ids IS NOT NULL AND jsonb_typeof(NEW.external_ids) = 'object' THEN
        ids := ids || ARRAY(SELECT value FROM jsonb_each_text(NEW.external_ids));
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT emails || array_agg(value) FILTER (WHERE type = 'EMAIL'),
            phones || array_agg(value) FILTER (WHERE type = 'PHONE'),
            ids || array_agg(substr(value, position(':' IN value) + 1))
                FILTER (WHERE type = 'EXTERNAL_ID')
        INTO emails, phones, ids
        FROM customers_identityalias WHERE customer_id = NEW.id;
    END IF;
    NEW.search_vector := fairway_search_document(
        NEW.tenant_id, concat_ws(' ', NEW.first_name, NEW.last_name, NEW.display_name),
        emails, phones, ids
    );
    RETURN NEW;
END
$$;

CREATE TRIGGER search_on_insert BEFORE INSERT ON customers_customerprofile
FOR EACH ROW EXECUTE FUNCTION fairway_keep_search_vector();

CREATE TRIGGER search_on_update BEFORE UPDATE ON customers_customerprofile
FOR EACH ROW WHEN (
    (NEW.first_name, NEW.last_name, NEW.display_name, NEW.email, NEW.phone_number,
     NEW.scl_member_id, NEW.external_ids, NEW.search_vector)
    IS DISTINCT FROM
    (OLD.first_name, OLD.last_name, OLD.display_name, OLD.email, OLD.phone_number,
     OLD.scl_member_id, OLD.external_ids, OLD.search_vector)
) EXECUTE FUNCTION fairway_keep_search_vector();
"""

# Once a statement, so that a thousand aliases cost one update.
KEEP_ALIASES = """
CREATE FUNCTION fairway_touch_search_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE customers_customerprofile SET search_vector = NULL
    WHERE id IN (SELECT customer_id FROM changed);
    RETURN NULL;
END
$$;

CREATE TRIGGER search_on_insert AFTER INSERT ON customers_identityalias
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION fairway_touch_search_vector();

CREATE TRIGGER search_on_delete AFTER DELETE ON customers_identityalias
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION fairway_touch_search_vector();

CREATE TRIGGER search_on_update_to AFTER UPDATE ON customers_identityalias
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION fairway_touch_search_vector();

CREATE TRIGGER search_on_update_from AFTER UPDATE ON customers_identityalias
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION fairway_touch_search_vector();
"""

# What is asked: every word must be there. Three grades, the next one only where the one before
# leaves room: whole words, beginnings of words, and names that sound alike.
QUERY = """
CREATE FUNCTION fairway_search_query(tenant text, asked text, grade integer) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain text := replace(fairway_plain(left(asked, 200)), '''', '');
    scope text := left(md5(tenant), 4);
    ending text := CASE grade WHEN 1 THEN '' ELSE ':*' END;
    word text;
    digits text;
    choices text[];
    query text := '';
BEGIN
    -- A phone number is one word, however it is spaced.
    IF plain ~ '^[-+0-9 ().]+$' THEN
        plain := regexp_replace(plain, '\\D', '', 'g');
    END IF;
    FOR word IN
        SELECT DISTINCT w FROM regexp_split_to_table(plain, '[^[:alnum:]@._+-]+') w
        WHERE w ~ '[[:alnum:]]' LIMIT 10
    LOOP
        -- Only an address keeps its punctuation: Smith-Jones is two words.
        IF word !~ '@' AND word ~ '[^[:alnum:]]' AND word !~ '^[[:alnum:]-]+(\\.[[:alnum:]-]+)+$' THEN
            SELECT string_agg(format('%L%s', scope || p, ending), ' & ') INTO word
            FROM regexp_split_to_table(word, '[^[:alnum:]]+') p WHERE p <> '';
            query := query || ' & (' || word || ')';
            CONTINUE;
        END IF;
        choices := ARRAY[format('%L%s', scope || word, ending),
            format('%L%s', scope || '=' || word, ending)];
        digits := ltrim(word, '0');
        IF digits ~ '^[0-9]{3,}$' THEN
            choices := choices || format('%L%s', scope || '#' || digits, ending);
        END IF;
        IF word ~ '^0[0-9]{3,}$' THEN  -- The last digits may begin with a nought.
            choices := choices || format('%L%s', scope || '#' || word, ending);
        END IF;
        IF grade = 3 AND fairway_sound(word) IS NOT NULL THEN
            choices := choices || format('%L', scope || '~' || fairway_sound(word));
        END IF;
        query := query || ' & (' || array_to_string(choices, ' | ') || ')';
    END LOOP;
    RETURN nullif(substr(query, 4), '')::tsquery;
END
$$
"""

# A bounded number of candidates is looked at, of which those seen last come first: "s" in a club
# of a million must not read a tenth of it.
SEARCH = """
CREATE FUNCTION fairway_search_customers(asked text, most integer, live_only boolean)
RETURNS TABLE (customer_id uuid)
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_indexscan = off
AS $$
DECLARE
    tenant text := nullif(current_setting('fairway.tenant_id', true), '');
    bound integer := least(greatest(most, 0), 1000);
    found uuid[] := '{}';
    query tsquery;
    earlier tsquery;
BEGIN
    IF tenant IS NULL THEN
        RETURN;
    END IF;
    FOR grade IN 1..3 LOOP
        query := fairway_search_query(tenant, asked, grade);
        -- As texts: PostgreSQL holds a word and its beginning for equal.
        CONTINUE WHEN query IS NULL OR query::text = earlier::text;
        found := found || ARRAY(
            SELECT candidate.id FROM (
                SELECT p.id, p.last_activity_at FROM customers_customerprofile p
                WHERE p.tenant_id = tenant AND p.search_vector @@ query
                    AND NOT p.id = ANY (found)
                    AND (NOT live_only OR (p.deleted_at IS NULL AND p.merged_at IS NULL))
                LIMIT 1000
            ) candidate
            ORDER BY candidate.last_activity_at DESC NULLS LAST, candidate.id
            LIMIT bound - cardinality(found)
        );
        EXIT WHEN cardinality(found) >= bound;
        earlier := query;
    END LOOP;
    RETURN QUERY SELECT unnest(found);
END
$$
"""

# Roles belong to the whole server, so another database of it may have made this one already. The
# owner may hand the function over only as a member, and while the new owner may make things.
HAND_OVER = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fairway_search') THEN
        CREATE ROLE fairway_search NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- Another database's migration was faster.
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role('fairway_search', 'SET') THEN
        EXECUTE format('GRANT fairway_search TO %I WITH SET TRUE, INHERIT FALSE', current_user);
    END IF;
END
$$;
GRANT USAGE, CREATE ON SCHEMA public TO fairway_search;
ALTER FUNCTION fairway_search_customers(text, integer, boolean) OWNER TO fairway_search;
REVOKE CREATE ON SCHEMA public FROM fairway_search;
GRANT SELECT (id, tenant_id, search_vector, last_activity_at, deleted_at, merged_at)
    ON customers_customerprofile TO fairway_search;
CREATE POLICY search_reads ON customers_customerprofile
    FOR SELECT TO fairway_search USING (true);
"""

# The role stays: another database of the server may use it.
TAKE_BACK = """
DROP POLICY search_reads ON customers_customerprofile;
REVOKE ALL ON customers_customerprofile FROM fairway_search;
DROP FUNCTION fairway_search_customers(text, integer, boolean);
REVOKE USAGE ON SCHEMA public FROM fairway_search;
"""


def fill(apps, schema_editor):
    """Give rows from before their words. Row-level security holds the owner too: club by club."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM tenancy_tenant")
        for (tenant_id,) in cursor.fetchall():
            cursor.execute("SELECT set_config('fairway.tenant_id', %s, true)", [tenant_id])
            cursor.execute("UPDATE customers_customerprofile SET search_vector = ''::tsvector")
        cursor.execute("SELECT set_config('fairway.tenant_id', '', true)")


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_consent_guard"), ("tenancy", "0002_uuid7")]
    operations = [
        migrations.RunSQL(PLAIN, "DROP FUNCTION fairway_plain(text)"),
        migrations.RunSQL(SOUND, "DROP FUNCTION fairway_sound(text)"),
        migrations.RunSQL(
            DOCUMENT, "DROP FUNCTION fairway_search_document(text, text, text[], text[], text[])"
        ),
        migrations.RunSQL(KEEP, "DROP FUNCTION fairway_keep_search_vector() CASCADE"),
        migrations.RunSQL(KEEP_ALIASES, "DROP FUNCTION fairway_touch_search_vector() CASCADE"),
        migrations.RunSQL(QUERY, "DROP FUNCTION fairway_search_query(text, text, integer)"),
        migrations.RunSQL(SEARCH, migrations.RunSQL.noop),
        migrations.RunSQL(HAND_OVER, TAKE_BACK),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
