"""Writing who entered and who left, for many segments with a few statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from crm_site.tenancy.context import require_tenant_id
from segments.choices import MembershipMove
from segments.models import CustomerSegment
from segments.signals import membership_changed


@dataclass(frozen=True)
class Moves:
    """Who is to enter one segment, and who to leave it."""

    segment_id: UUID
    entered: Collection[UUID] = field(default_factory=set)
    left: Collection[UUID] = field(default_factory=set)


# Only what really moves is noted and counted: somebody else may have been faster.
WRITE = """
WITH asked AS (
    SELECT * FROM unnest(%(segments)s::uuid[], %(customers)s::uuid[], %(enters)s::boolean[])
        AS asked(segment_id, customer_id, enters)
), entered AS (
    INSERT INTO segments_customersegmentmembership
        (id, tenant_id, segment_id, customer_id, added_by, added_at, matched_at)
    SELECT fairway_uuid7(), %(tenant)s, segment_id, customer_id, %(added_by)s, %(now)s,
           %(matched_at)s
      FROM asked WHERE enters
    ON CONFLICT (segment_id, customer_id) DO NOTHING
    RETURNING segment_id, customer_id
), gone AS (
    DELETE FROM segments_customersegmentmembership AS held USING asked
     WHERE NOT asked.enters AND held.tenant_id = %(tenant)s
       AND held.segment_id = asked.segment_id AND held.customer_id = asked.customer_id
    RETURNING held.segment_id, held.customer_id
), moved AS (
    SELECT segment_id, customer_id, true AS enters FROM entered
    UNION ALL SELECT segment_id, customer_id, false FROM gone
), noted AS (
    INSERT INTO segments_segmentmembershipchange
        (id, tenant_id, segment_id, customer_id, move, changed_at)
    SELECT fairway_uuid7(), %(tenant)s, segment_id, customer_id,
           CASE WHEN enters THEN %(entered)s ELSE %(left)s END, %(now)s
      FROM moved
)
UPDATE segments_customersegment AS s
   SET member_count = s.member_count + change.entered - change.gone
  FROM (
    SELECT segment_id, count(*) FILTER (WHERE enters) AS entered,
           count(*) FILTER (WHERE NOT enters) AS gone
      FROM moved GROUP BY segment_id
  ) AS change
 WHERE s.id = change.segment_id AND s.tenant_id = %(tenant)s
RETURNING s.id, change.entered, change.gone
"""


def write_moves(
    moves: Sequence[Moves], *, now: datetime, added_by: str | None = None
) -> dict[UUID, tuple[int, int]]:
    """Move members of segments whose locks the caller holds: one statement for all of them.

    ``added_by`` is the person who put them in; None says that rules did. Counts and history
    follow, and ``membership_changed`` is sent per segment. Returns how many entered and left, by
    segment, for those where somebody really did.
    """
    triples = [
        (move.segment_id, customer_id, enters)
        for move in moves
        for enters, ids in ((True, move.entered), (False, move.left))
        for customer_id in sorted(ids)
    ]
    if not triples:
        return {}
    segments, customers, enters = (list(column) for column in zip(*triples, strict=True))
    values: dict[str, Any] = {
        **{"segments": segments, "customers": customers, "enters": enters},
        **{"tenant": require_tenant_id(), "now": now, "added_by": added_by},
        **{"entered": MembershipMove.ENTERED, "left": MembershipMove.LEFT},
        "matched_at": None if added_by else now,
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        done = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    for segment in CustomerSegment.objects.filter(pk__in=done).order_by("pk"):
        membership_changed.send(sender=CustomerSegment, segment=segment, changed_at=now)
    return done
