"""From a file of profiles to the table that is compared: one spelling for everything.

The file is CSV with a header and the columns of ``COLUMNS``: text, empty where unknown, dates as
2001-12-31, e-mail addresses and phone numbers as profiles have them.
"""

from pathlib import Path
from typing import Any

from customers.normalize import NICKNAMES, TITLES

# ``is_changed``: t where an incremental scan is to look.
COLUMNS = (
    *("id", "first_name", "last_name", "date_of_birth", "email", "phone", "address_line1"),
    *("city", "postal_code", "is_changed"),
)
# Beside it, what profiles share though only one of them can hold it: ``emails`` and ``phones`` are
# any words, separated by blanks, that those have in common who share one; ``claim_group`` is a
# number common to all who share anything.
CLAIM_COLUMNS = ("id", "claim_group", "emails", "phones")

# Dates that forms fill in by themselves are told by how many bear them; below this nobody can say.
DEFAULT_BIRTH_BEARERS = 20
DEFAULT_BIRTH_SHARE = 0.002

MACROS = r"""
CREATE MACRO fold(value) AS nullif(trim(regexp_replace(
    replace(strip_accents(lower(value)), '''', ''), '[^\p{L}\p{N}]+', ' ', 'g')), '');
-- One letter more, less, other or swapped; a short form; or most of a longer name.
CREATE MACRO similar_first(a, b) AS
    starts_with(a, b) OR starts_with(b, a)
    OR (length(a) > 3 AND length(b) > 3 AND (damerau_levenshtein(a, b) <= 1
        OR (left(a, 1) = left(b, 1) AND jaro_winkler_similarity(a, b) >= 0.9)));
CREATE MACRO similar_last(a, a_parts, b, b_parts) AS
    a = b OR list_has_any(a_parts, b_parts)
    OR (length(a) > 3 AND length(b) > 3
        AND (damerau_levenshtein(a, b) <= if(least(length(a), length(b)) > 5, 2, 1)
            OR jaro_winkler_similarity(a, b) >= 0.92));
CREATE MACRO similar_birth(a, b) AS
    damerau_levenshtein(a, b) <= 1 OR a = left(b, 4) || right(b, 2) || substr(b, 5, 2);
-- Neighbours live in one street under other numbers.
CREATE MACRO similar_address(a, a_number, b, b_number) AS
    (a_number = b_number OR a_number IS NULL OR b_number IS NULL)
    AND (damerau_levenshtein(a, b) <= 2 OR jaro_winkler_similarity(a, b) >= 0.92);
CREATE MACRO contradict(a, a_roots, b, b_roots) AS
    coalesce(NOT (list_has_any(a_roots, b_roots) OR similar_first(a, b)), false);
"""

READ = """
CREATE TABLE {table} AS SELECT row_number() OVER () AS unique_id, *
FROM read_csv($path, header = true, nullstr = '', quote = '"', escape = '"', delim = ',',
    max_line_size = 1000000, auto_detect = false, columns = {columns})
"""

# Names repeat, so each spelling is folded once.
FIRST_NAMES = """
CREATE TABLE first_names AS
WITH folded AS (
    SELECT written, string_split(fold(written), ' ') AS words
    FROM (SELECT DISTINCT first_name AS written FROM profiles) WHERE fold(written) IS NOT NULL
), plain AS (
    SELECT written, coalesce(
        nullif(list_filter(words, lambda x: NOT list_contains($titles, x)), []), words) AS words
    FROM folded
), meant AS (
    SELECT written, list_distinct(list(coalesce(root, word))) AS roots
    FROM (SELECT written, unnest(words) AS word FROM plain) LEFT JOIN nicknames USING (word)
    GROUP BY written
)
SELECT written, array_to_string(words, ' ') AS fn, roots FROM plain JOIN meant USING (written)
"""
LAST_NAMES = """
CREATE TABLE last_names AS
SELECT written, replace(fold(written), ' ', '') AS ln,
    list_filter(string_split(fold(written), ' '), lambda x: length(x) > 3) AS parts
FROM (SELECT DISTINCT last_name AS written FROM profiles) WHERE fold(written) IS NOT NULL
"""
STREETS = r"""
CREATE TABLE streets AS
SELECT written, fold(written) AS addr, regexp_extract(fold(written), '\d+') AS number
FROM (SELECT DISTINCT address_line1 AS written FROM profiles) WHERE fold(written) IS NOT NULL
"""

PEOPLE = """
CREATE TABLE people AS
SELECT p.unique_id, coalesce(p.is_changed = 't', false) AS is_changed,
    fn, roots, ln, parts, fn || ' ' || ln AS fullname,
    CASE WHEN born BETWEEN DATE '1900-01-02' AND current_date AND defaults.day IS NULL
        THEN born END AS dob,
    strftime(dob, '%Y%m%d') AS digits,
    p.email, p.phone, addr,
    nullif(number, '') AS number,
    replace(coalesce(nullif(trim(replace(addr, number, '')), ''), addr), ' ', '') AS street,
    replace(fold(p.postal_code), ' ', '') AS pc, fold(p.city) AS town,
    claims.claim_group, string_split(claims.emails, ' ') AS claimed_emails,
    string_split(claims.phones, ' ') AS claimed_phones
FROM (SELECT *, try_cast(date_of_birth AS DATE) AS born FROM profiles) AS p
LEFT JOIN first_names AS f ON f.written = p.first_name
LEFT JOIN last_names AS l ON l.written = p.last_name
LEFT JOIN streets AS s ON s.written = p.address_line1
LEFT JOIN claims ON claims.id = p.id
LEFT JOIN (
    SELECT try_cast(date_of_birth AS DATE) AS day, count(*) AS bearers,
        sum(count(*)) OVER () AS dated
    FROM profiles WHERE date_of_birth IS NOT NULL GROUP BY day
    QUALIFY bearers > $bearers AND bearers > dated * $share
) AS defaults ON defaults.day = born
"""


def load_people(connection: Any, path: Path, claims: Path | None = None) -> int:
    """Make ``people``, a row per profile, and ``sources``, their own ids. Returns how many."""
    connection.execute(MACROS)
    names = [(name, group[0]) for group in map(sorted, NICKNAMES) for name in group]
    connection.execute("CREATE TABLE nicknames (word VARCHAR, root VARCHAR)")
    connection.executemany("INSERT INTO nicknames VALUES (?, ?)", names)
    _read(connection, "profiles", path, COLUMNS)
    if claims is None:
        columns = ", ".join(f"{name} VARCHAR" for name in CLAIM_COLUMNS)
        connection.execute(f"CREATE TABLE claims ({columns})")
    else:
        _read(connection, "claims", claims, CLAIM_COLUMNS)
    connection.execute(FIRST_NAMES, {"titles": sorted(TITLES)})
    connection.execute(LAST_NAMES)
    connection.execute(STREETS)
    limits = {"bearers": DEFAULT_BIRTH_BEARERS, "share": DEFAULT_BIRTH_SHARE}
    connection.execute(PEOPLE, limits)
    connection.execute("CREATE TABLE sources AS SELECT unique_id, id FROM profiles")
    for table in ("profiles", "claims", "first_names", "last_names", "streets"):
        connection.execute(f"DROP TABLE {table}")
    ((count,),) = connection.execute("SELECT count(*) FROM people").fetchall()
    return int(count)


def _read(connection: Any, table: str, path: Path, names: tuple[str, ...]) -> None:
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    statement = READ.format(table=table, columns=f"{{{columns}}}")
    connection.execute(statement, {"path": str(path)})
