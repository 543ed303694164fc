"""What the history of entries and exits tells: who was in, how many, and who is in two at once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from crm_site.access.services import tenant_in_scope
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile
from segments.choices import MembershipMove
from segments.models import CustomerSegment, CustomerSegmentMembership, SegmentMembershipChange
from segments.services.refreshing import SegmentError


def members_at(
    segment: CustomerSegment, at: datetime, *, now: datetime
) -> QuerySet[CustomerProfile]:
    """Who was a member at a moment, whatever became of them since.

    Raises SegmentError for a moment to come, and for one that the history no longer reaches.
    """
    if at > now:
        raise SegmentError("This is still to come.", path="at", code="invalid")
    kept = timedelta(days=tenant_in_scope().membership_change_retention_days)
    if at < now - kept:
        message = f"The history reaches back {kept.days} days."
        raise SegmentError(message, path="at", code="too_old")
    later = SegmentMembershipChange.objects.filter(segment=segment, changed_at__gt=at)
    # The first move after that moment says how it was before.
    first = later.filter(customer_id=OuterRef("pk")).order_by("changed_at", "pk").values("move")
    is_member = Q(
        pk__in=CustomerSegmentMembership.objects.filter(segment=segment).values("customer_id")
    )
    moved = Q(pk__in=later.values("customer_id"))
    found: QuerySet[CustomerProfile] = CustomerProfile.objects.filter(is_member | moved)
    return found.alias(first_move=Subquery(first[:1])).filter(
        Q(first_move=MembershipMove.LEFT) | Q(first_move__isnull=True)
    )


@dataclass(frozen=True)
class Size:
    """How many members at the end of a day of the tenant's calendar."""

    day: date
    member_count: int


SIZES = """
WITH days AS (
    SELECT day::date AS day FROM generate_series(%(first)s::date, %(last)s::date, '1 day') AS day
), moves AS (
    SELECT (changed_at AT TIME ZONE %(zone)s)::date AS day,
           sum(CASE move WHEN 'ENTERED' THEN 1 ELSE -1 END) AS net
      FROM segments_segmentmembershipchange
     WHERE tenant_id = %(tenant)s AND segment_id = %(segment)s
       AND changed_at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
     GROUP BY 1
)
SELECT days.day, %(members)s - coalesce(
           sum(moves.net) OVER (ORDER BY days.day DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
  FROM days LEFT JOIN moves USING (day)
 ORDER BY days.day
"""


def sizes(segment: CustomerSegment, *, days: int, now: datetime) -> list[Size]:
    """The size at the end of each of the last ``days`` days, today's being the one of now.

    None before the segment was made, or before the history begins.
    """
    tenant = tenant_in_scope()
    days = min(days, tenant.membership_change_retention_days)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (%s AT TIME ZONE %s)::date, (%s AT TIME ZONE %s)::date",
            [now, tenant.time_zone, segment.created_at, tenant.time_zone],
        )
        today, made = cursor.fetchone()
        values: dict[str, Any] = {
            **{"first": max(today - timedelta(days=days - 1), made), "last": today},
            **{"zone": tenant.time_zone, "tenant": require_tenant_id(), "segment": segment.pk},
            "members": segment.member_count,
        }
        cursor.execute(SIZES, values)
        return [Size(day, int(count)) for day, count in cursor.fetchall()]


@dataclass(frozen=True)
class Overlap:
    """Members of one segment only, of the other only, and of both."""

    first_only_count: int
    second_only_count: int
    both_count: int

    @property
    def share_of_smaller(self) -> float | None:
        """How much of the smaller one lies in the other, 0 to 1; None where one is empty."""
        smaller = self.both_count + min(self.first_only_count, self.second_only_count)
        return self.both_count / smaller if smaller else None


OVERLAP = """
SELECT count(*) FILTER (WHERE b.customer_id IS NULL), count(*) FILTER (WHERE a.customer_id IS NULL),
       count(a.customer_id) FILTER (WHERE b.customer_id IS NOT NULL)
  FROM (SELECT customer_id FROM segments_customersegmentmembership
         WHERE tenant_id = %(tenant)s AND segment_id = %(first)s) AS a
  FULL JOIN (SELECT customer_id FROM segments_customersegmentmembership
         WHERE tenant_id = %(tenant)s AND segment_id = %(second)s) AS b USING (customer_id)
"""


def overlap(first: CustomerSegment, second: CustomerSegment) -> Overlap:
    """Who is in both, as of their last changes."""
    values: dict[str, Any] = {"tenant": require_tenant_id(), "first": first.pk, "second": second.pk}
    with connection.cursor() as cursor:
        cursor.execute(OVERLAP, values)
        return Overlap(*cursor.fetchone())
