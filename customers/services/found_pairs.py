"""Writing what a scan found beside what people have ruled, in statements over many rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from crm_site.db.rows import to_json
from crm_site.tenancy.context import require_tenant_id
from customers.choices import CandidateKind
from customers.matching.explaining import Pair, match_fields, match_type
from customers.matching.scanning import ENGINE
from customers.services.identity import CONFIDENCE_BY_LINK

# What a scan compares of a profile. Another value of one of these and a ruling is asked anew.
COMPARED = (
    *("first_name", "last_name", "date_of_birth", "email", "phone_number", "address_line1"),
    *("city", "postal_code"),
)


def _fingerprint(profile: str) -> str:
    columns = ", ".join(f"{profile}.{name}" for name in COMPARED)
    return f"row({columns})::text"


# Of a pair of rows a and b of profiles; never the values themselves.
PAIR_HASH = f"hashtextextended({_fingerprint('a')} || '/' || {_fingerprint('b')}, 0)"

# A ruling stands unless one of the two has changed since; without a hash it was made before there
# were any, and gets one. A link that both gave (claimed) outweighs what the scan made of the rest.
WRITE = f"""
WITH found AS (
    SELECT f.*, {PAIR_HASH} AS compared_hash
    FROM json_to_recordset(%(pairs)s::json) AS f(
        one uuid, other uuid, type varchar, score float8, fields jsonb, kind varchar)
    JOIN customers_customerprofile a ON a.id = f.one AND a.tenant_id = %(tenant)s
        AND a.deleted_at IS NULL AND a.merged_at IS NULL
    JOIN customers_customerprofile b ON b.id = f.other AND b.tenant_id = %(tenant)s
        AND b.deleted_at IS NULL AND b.merged_at IS NULL
), written AS (
    INSERT INTO customers_duplicatecandidate AS held (id, tenant_id, profile_a_id, profile_b_id,
        match_type, match_score, match_fields, kind, claimed, compared_hash, resolution, created_at)
    SELECT fairway_uuid7(), %(tenant)s, one, other, type, score, fields, kind,
        ARRAY[]::varchar[], compared_hash, 'PENDING', now()
    FROM found
    ON CONFLICT (profile_a_id, profile_b_id) DO UPDATE SET
        match_type = excluded.match_type,
        match_score = CASE WHEN held.claimed && %(links)s::varchar[]
                AND excluded.kind = 'DUPLICATE'
            THEN greatest(excluded.match_score, %(by_link)s) ELSE excluded.match_score END,
        match_fields = excluded.match_fields,
        kind = CASE WHEN held.claimed && %(links)s::varchar[] THEN 'DUPLICATE'
            ELSE excluded.kind END,
        compared_hash = excluded.compared_hash,
        resolution = CASE WHEN held.compared_hash IS NULL THEN held.resolution ELSE 'PENDING' END,
        resolved_by = CASE WHEN held.compared_hash IS NULL THEN held.resolved_by END,
        resolved_at = CASE WHEN held.compared_hash IS NULL THEN held.resolved_at END
    WHERE held.compared_hash IS DISTINCT FROM excluded.compared_hash
            AND held.resolution IN ('PENDING', 'NOT_DUPLICATE', 'IGNORED')
        OR held.resolution = 'PENDING' AND (
            round(held.match_score::numeric, 1), held.match_type, held.kind)
            IS DISTINCT FROM (
            round(excluded.match_score::numeric, 1), excluded.match_type, excluded.kind)
    RETURNING profile_a_id, profile_b_id, xmax = 0 AS is_new
), before AS (
    SELECT held.profile_a_id, held.profile_b_id FROM customers_duplicatecandidate held
    JOIN found ON found.one = held.profile_a_id AND found.other = held.profile_b_id
    WHERE held.resolution IN ('NOT_DUPLICATE', 'IGNORED')
        AND held.compared_hash IS NOT NULL AND held.compared_hash <> found.compared_hash
)
SELECT count(*) FILTER (WHERE is_new), (SELECT count(*) FROM before) FROM written
"""  # noqa: S608 - our own columns
LINKS = ["auth_user_id", "scl_member_id", "teetime_player_id", "messaging_contact_id"]


def write_pairs(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Queue new pairs, weigh waiting ones anew, and ask again about those ruled on that have
    changed since. Returns how many are new, and how many are asked about again."""
    rows = [
        {
            "one": pair.first,
            "other": pair.second,
            "type": match_type(pair),
            "score": pair.score,
            "fields": match_fields(pair, ENGINE),
            "kind": CandidateKind.HOUSEHOLD if pair.is_household else CandidateKind.DUPLICATE,
        }
        for pair in pairs
    ]
    values: dict[str, Any] = {
        "pairs": to_json(rows),
        "tenant": require_tenant_id(),
        "links": LINKS,
        "by_link": CONFIDENCE_BY_LINK,
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        new, reopened = cursor.fetchone()
    return new, reopened


# What an event or an import said by itself (claimed) is not the scan's to take back.
DROP = """
DELETE FROM customers_duplicatecandidate held
USING customers_customerprofile a, customers_customerprofile b
WHERE held.tenant_id = %(tenant)s AND held.resolution = 'PENDING' AND held.claimed = '{}'
    AND held.compared_hash IS NOT NULL AND held.match_type <> 'by_hand'
    AND a.id = held.profile_a_id AND b.id = held.profile_b_id
    AND (%(since)s::timestamptz IS NULL OR a.updated_at > %(since)s OR b.updated_at > %(since)s)
    AND NOT EXISTS (
        SELECT FROM unnest(%(first)s::uuid[], %(second)s::uuid[]) AS found(one, other)
        WHERE found.one = held.profile_a_id AND found.other = held.profile_b_id)
"""


def drop_unfound(pairs: Iterable[Pair], *, changed_since: datetime | None) -> int:
    """Take pairs out of the queue that a scan no longer finds; returns how many."""
    found = list(pairs)
    values = {
        "tenant": require_tenant_id(),
        "since": changed_since,
        "first": [pair.first for pair in found],
        "second": [pair.second for pair in found],
    }
    with connection.cursor() as cursor:
        cursor.execute(DROP, values)
        return cursor.rowcount


HASH_OF_PAIR = f"""
UPDATE customers_duplicatecandidate held SET compared_hash = {PAIR_HASH}
FROM customers_customerprofile a, customers_customerprofile b
WHERE held.id = %s AND held.tenant_id = %s
    AND a.id = held.profile_a_id AND b.id = held.profile_b_id
"""  # noqa: S608 - our own columns


def note_what_was_compared(pair_id: UUID) -> None:
    """Keep with a pair what its two people are like now: a ruling is about that."""
    with connection.cursor() as cursor:
        cursor.execute(HASH_OF_PAIR, [pair_id, require_tenant_id()])
