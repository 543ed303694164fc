"""One change of a segment's members at a time, and how to see whether one is under way.

The lock is PostgreSQL's and ends with its transaction, so a worker that dies lets go of it.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import connection

from crm_site.tenancy.context import require_tenant_id

KEY = "hashtextextended('segment:' || %s, 0)"
EACH = """
SELECT id FROM unnest(%s::uuid[]) AS asked(id)
 WHERE pg_try_advisory_xact_lock(hashtextextended('segment:' || id, 0))
"""


def try_lock(segment_id: UUID) -> bool:
    """Take the segment for the rest of the transaction; False if another has it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({KEY})", [str(segment_id)])
        return bool(cursor.fetchone()[0])


def lock(segment_id: UUID) -> None:
    """Take the segment for the rest of the transaction; waits for another to finish."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({KEY})", [str(segment_id)])


ALL = f"""
SELECT pg_advisory_xact_lock({KEY.replace("%s", "id")})
  FROM (SELECT unnest(%s::text[]) AS id ORDER BY id) AS wanted
"""  # noqa: S608 - KEY is ours.


def lock_all(segment_ids: Iterable[UUID]) -> None:
    """Take several at once, in one order for everybody, so that two such never wait in a ring."""
    with connection.cursor() as cursor:
        cursor.execute(ALL, [[str(segment_id) for segment_id in segment_ids]])


def try_lock_each(segment_ids: Collection[UUID]) -> set[UUID]:
    """Take those that nobody else has for the rest of the transaction; returns them."""
    with connection.cursor() as cursor:
        cursor.execute(EACH, [sorted(segment_ids)])
        return {row[0] for row in cursor.fetchall()}


def lock_rechecks() -> None:
    """Until commit, nobody else looks again at changed customers of the tenant in scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"segments.recheck:{require_tenant_id()}"],
        )
