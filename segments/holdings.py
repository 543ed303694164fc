"""What segments hold about one person."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from crm_site.access.services import tenant_in_scope
from customers.services.holdings import CHUNK, Row, Subject, holding
from segments.models import CustomerSegment, CustomerSegmentMembership, SegmentMembershipChange
from segments.rules.describe import Describer
from segments.rules.errors import RuleError
from segments.rules.grammar import parse


@holding("segments", title="Segments they are in, since when and why")
def _memberships(subject: Subject) -> Iterator[Row]:
    names = dict(CustomerSegment.objects.live().values_list("pk", "name"))
    describer = Describer(names, ZoneInfo(tenant_in_scope().time_zone))
    rows = CustomerSegmentMembership.objects.filter(customer__in=subject.profile_ids)
    for row in rows.select_related("segment").order_by("added_at").iterator(chunk_size=CHUNK):
        yield {
            "segmentId": row.segment_id,
            "name": row.segment.name,
            "since": row.added_at,
            "addedBy": row.added_by,
            "why": _why(row.segment, describer),
        }


def _why(segment: CustomerSegment, describer: Describer) -> str:
    if segment.is_by_hand:
        return "Added by hand or from a file."
    try:
        return describer.sentence(parse(segment.criteria, segment.combinator))
    except RuleError:
        return "By rules that can no longer be read."


@holding("segmentHistory", title="Segments they came into and left")
def _history(subject: Subject) -> Iterator[Row]:
    rows = SegmentMembershipChange.objects.filter(customer__in=subject.profile_ids)
    for row in rows.select_related("segment").order_by("changed_at").iterator(chunk_size=CHUNK):
        yield {
            "segmentId": row.segment_id,
            "name": row.segment.name,
            "move": row.move,
            "at": row.changed_at,
        }
