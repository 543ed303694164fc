"""A segment's members against those who should be: found and written set by set.

Three statements whatever the size. Nothing is written for who stays, so a refresh that changes
nothing costs little more than counting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile
from segments.choices import MembershipMove
from segments.models import CustomerSegment, SegmentRefresh

# A table and not a part of the statements after it: only a statement that writes nothing else may
# use both cores. Read committed: members who move meanwhile are met by the conflict clause.
FIND = """
CREATE TEMPORARY TABLE segment_difference ON COMMIT DROP AS
SELECT coalesce(wanted.id, held.customer_id) AS customer_id, held.customer_id IS NULL AS entered
FROM ({wanted}) AS wanted
FULL JOIN (
    SELECT customer_id FROM segments_customersegmentmembership
    WHERE tenant_id = %s AND segment_id = %s
) AS held ON held.customer_id = wanted.id
WHERE wanted.id IS NULL OR held.customer_id IS NULL
"""

# In the order of their indexes, so that a first fill walks them once from left to right.
ENTER = """
INSERT INTO segments_customersegmentmembership
    (id, tenant_id, segment_id, customer_id, added_by, added_at, matched_at)
SELECT fairway_uuid7(), %s, %s, customer_id, %s, %s, %s FROM segment_difference WHERE entered
 ORDER BY customer_id
ON CONFLICT (segment_id, customer_id) DO NOTHING
"""

LEAVE = """
DELETE FROM segments_customersegmentmembership AS held USING segment_difference AS gone
WHERE NOT gone.entered AND held.tenant_id = %s AND held.segment_id = %s
  AND held.customer_id = gone.customer_id
"""

REMEMBER = """
INSERT INTO segments_segmentmembershipchange
    (id, tenant_id, segment_id, customer_id, move, changed_at, refresh_id)
SELECT fairway_uuid7(), %s, %s, customer_id, CASE WHEN entered THEN %s ELSE %s END, %s, %s
FROM segment_difference ORDER BY customer_id
"""

COUNT = "SELECT count(*) FILTER (WHERE entered), count(*) FROM segment_difference"


@dataclass(frozen=True)
class Difference:
    entered_count: int
    left_count: int

    @property
    def moved_count(self) -> int:
        return self.entered_count + self.left_count

    def __bool__(self) -> bool:
        return bool(self.entered_count or self.left_count)


def write_difference(
    segment: CustomerSegment,
    wanted: QuerySet[CustomerProfile],
    *,
    now: datetime,
    added_by: str | None = None,
    refresh: SegmentRefresh | None = None,
    check: Callable[[Difference], None] = lambda found: None,
) -> Difference:
    """Make the members of ``segment`` exactly ``wanted``, with an entry in the history for each
    who enters or leaves. Call it in a transaction, holding the segment's lock.

    ``check`` is told the difference before anything is written, and may raise.
    """
    tenant_id = require_tenant_id()
    sql, params = wanted.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(FIND.format(wanted=sql), [*params, tenant_id, segment.pk])
        cursor.execute(COUNT)
        entered, changed = cursor.fetchone()
        found = Difference(entered, changed - entered)
        check(found)
        if found:
            _write(cursor, segment, tenant_id, now, added_by, refresh)
        cursor.execute("DROP TABLE segment_difference")
    return found


def _write(
    cursor: Any,
    segment: CustomerSegment,
    tenant_id: str,
    now: datetime,
    added_by: str | None,
    refresh: SegmentRefresh | None,
) -> None:
    cursor.execute(ENTER, [tenant_id, segment.pk, added_by, now, now])
    cursor.execute(LEAVE, [tenant_id, segment.pk])
    moves = [MembershipMove.ENTERED, MembershipMove.LEFT]
    refresh_id = refresh.pk if refresh else None
    cursor.execute(REMEMBER, [tenant_id, segment.pk, *moves, now, refresh_id])
