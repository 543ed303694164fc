"""The one way in which the audit log may change: values about people who were erased (decision 16).

The runtime role cannot update the log. This function can, as its owner: of the tenant in scope only,
for profiles marked as erased only, and values only. Who did what to which row, and when, stays.
"""

from django.db import migrations

# Entries about the profiles; about what belongs to them now; and about what ever named them, which
# is how entries of rows that are gone by now are found.
CREATE = """
CREATE FUNCTION fairway_redact_audit(people uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    tenant text := nullif(current_setting('fairway.tenant_id', true), '');
    names text[] := ARRAY(SELECT unnest(people)::text);
    count integer;
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'No tenant in scope.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (SELECT count(*) FROM customers_customerprofile
         WHERE id = ANY (people) AND tenant_id = tenant AND erased_at IS NOT NULL)
       <> cardinality(people) THEN
        RAISE EXCEPTION 'Only entries about erased customers may be redacted.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    WITH about AS (
        SELECT unnest(names) AS id
        UNION SELECT id::text FROM customers_identityalias
               WHERE tenant_id = tenant AND customer_id = ANY (people)
        UNION SELECT id::text FROM customers_customernote
               WHERE tenant_id = tenant AND customer_id = ANY (people)
        UNION SELECT id::text FROM customers_duplicatecandidate
               WHERE tenant_id = tenant AND (profile_a_id = ANY (people) OR profile_b_id = ANY (people))
        UNION SELECT e.entity_id FROM audit_crmauditlog e
               WHERE e.tenant_id = tenant AND e.entity_type <> 'CustomerProfile'
                 AND EXISTS (
                     SELECT FROM jsonb_each(e.changes) AS change(field, moved)
                      WHERE change.moved ->> 'old' = ANY (names)
                         OR change.moved ->> 'new' = ANY (names))
    )
    UPDATE audit_crmauditlog AS entry
       SET changes = (
               SELECT jsonb_object_agg(change.field, jsonb_build_object(
                   'old', CASE WHEN change.moved ->> 'old' IS NOT NULL THEN 'erased' END,
                   'new', CASE WHEN change.moved ->> 'new' IS NOT NULL THEN 'erased' END))
                 FROM jsonb_each(entry.changes) AS change(field, moved)),
           metadata = CASE WHEN entry.metadata IS NOT NULL THEN '{"erased": true}'::jsonb END
     WHERE entry.tenant_id = tenant AND entry.entity_id IN (SELECT id FROM about);
    GET DIAGNOSTICS count = ROW_COUNT;
    RETURN count;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_erasure"), ("audit", "0002_row_audit")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION fairway_redact_audit(uuid[])")]
