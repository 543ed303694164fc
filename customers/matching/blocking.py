"""Which pairs are looked at: those that share a key. What too many share is no key.

Every key is one number per profile, so that a pair is found by an equal number and the pairs a key
makes can be counted before any is made.
"""

from dataclasses import dataclass
from typing import Any

# What a key is made of; it is missing where one of its parts is.
KEYS = {
    "email": ("email",),
    "phone": ("phone",),
    "birth_last": ("dob", "left(ln, 3)"),
    "birth_first": ("dob", "left(fn, 3)"),
    # Sorted, so that first and last name may be swapped.
    "names_birth": ("list_sort([fn, ln])", "dob"),
    "names_postcode": ("list_sort([fn, ln])", "pc"),
    "birth_postcode": ("dob", "pc"),
    "home": ("addr", "coalesce(pc, town)"),
    "names_year": ("fn", "ln", "year(dob)"),
    "mailbox": ("split_part(email, '@', 1)", "left(fn, 1)"),
    "names": ("fullname",),
    "claim": ("claim_group",),
    # Broad: they find more in a small club, and next to nothing for their price in a big one.
    "birth": ("dob",),
    "street": ("addr", "number"),
    "first_postcode": ("fn", "pc"),
    "last_postcode": ("ln", "pc"),
}
WORDS = {
    "email": "one e-mail address",
    "phone": "one phone number",
    "birth_last": "one date of birth and beginning of the last name",
    "birth_first": "one date of birth and beginning of the first name",
    "names_birth": "one name and date of birth",
    "names_postcode": "one name and postcode",
    "birth_postcode": "one date of birth and postcode",
    "home": "one address",
    "names_year": "one name and year of birth",
    "mailbox": "the first part of an e-mail address",
    "names": "one name",
    "claim": "identifiers that services gave for each other's customers",
    "birth": "one date of birth",
    "street": "one street and number",
    "first_postcode": "one first name and postcode",
    "last_postcode": "one last name and postcode",
}
# Who bears a full name that more bear is found by something beside it.
RARE_NAME = 12
BEARERS = 60
# At most so many pairs per profile and key; beyond, the limit on bearers is halved.
PAIRS_PER_PROFILE, BROAD_PAIRS_PER_PROFILE = 1.5, 0.2
LEAST_PAIRS = 100_000
# Keys that many share by nature: that some are left out is no news, unless so many share one.
BROAD = {"names", "birth", "street", "first_postcode", "last_postcode"}
CROWD, CROWD_SHARE = 500, 0.02


@dataclass(frozen=True)
class Skipped:
    """What so many share that it says nothing: values of one key, and profiles that bear them."""

    key: str
    value_count: int
    profile_count: int

    def __str__(self) -> str:
        return f"{self.profile_count:,} customers share {WORDS[self.key]} with too many others"


def make_keys(connection: Any, profile_count: int) -> list[Skipped]:
    """Add the keys to ``people``, without those that would make too many pairs; tells which."""
    columns = ", ".join(
        f"CASE WHEN {' AND '.join(f'{part} IS NOT NULL' for part in parts)} "
        f"THEN hash({', '.join(parts)}) END AS k_{key}"
        for key, parts in KEYS.items()
    )
    connection.execute(f"CREATE TABLE keyed AS SELECT *, {columns} FROM people")
    connection.execute("DROP TABLE people")
    connection.execute("ALTER TABLE keyed RENAME TO people")
    skipped = (_limit(connection, key, profile_count) for key in KEYS)
    return [each for each in skipped if each is not None]


COUNT = """
SELECT bearers, count(*) AS key_count FROM (
    SELECT count(*) AS bearers FROM people WHERE k_{key} IS NOT NULL GROUP BY k_{key}
) WHERE bearers > 1 GROUP BY bearers ORDER BY bearers
"""
CLEAR = """
UPDATE people SET k_{key} = NULL WHERE k_{key} IN (
    SELECT k_{key} FROM people WHERE k_{key} IS NOT NULL
    GROUP BY k_{key} HAVING count(*) > {limit}
)
"""


def _limit(connection: Any, key: str, profile_count: int) -> Skipped | None:
    sizes = connection.execute(COUNT.format(key=key)).fetchall()
    limit = RARE_NAME if key == "names" else BEARERS
    share = BROAD_PAIRS_PER_PROFILE if key in BROAD else PAIRS_PER_PROFILE
    budget = max(LEAST_PAIRS, share * profile_count)
    while limit > 2 and sum(n * (n - 1) // 2 * keys for n, keys in sizes if n <= limit) > budget:
        limit //= 2
    over = [(n, keys) for n, keys in sizes if n > limit]
    if not over:
        return None
    connection.execute(CLEAR.format(key=key, limit=limit))
    if key in BROAD:
        over = [(n, keys) for n, keys in over if n > max(CROWD, CROWD_SHARE * profile_count)]
    if not over:
        return None
    return Skipped(key, sum(keys for _, keys in over), sum(n * keys for n, keys in over))


def rules(*, changed_only: bool) -> list[dict[str, str]]:
    """The keys as blocking rules, for Splink."""
    beside = " AND (l.is_changed OR r.is_changed)" if changed_only else ""
    return [
        {"blocking_rule": f"l.k_{key} = r.k_{key}{beside}", "sql_dialect": "duckdb"} for key in KEYS
    ]


def keep_neighbours(connection: Any) -> None:
    """Of ``people``, those that changed and those who share a key with one of them."""
    shared = " OR ".join(
        f"k_{key} IN (SELECT k_{key} FROM people WHERE is_changed AND k_{key} IS NOT NULL)"
        for key in KEYS
    )
    connection.execute(f"CREATE TABLE near AS SELECT * FROM people WHERE is_changed OR {shared}")
    connection.execute("DROP TABLE people")
    connection.execute("ALTER TABLE near RENAME TO people")
