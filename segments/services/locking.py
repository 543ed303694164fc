"""One change of a segment's members at a time, and how to see whether one is under way.

The lock is PostgreSQL's and ends with its transaction, so a worker that dies lets go of it.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

KEY = "hashtextextended('segment:' || %s, 0)"


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
