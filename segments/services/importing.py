"""Filling a list from a file or a list of identifiers, with a report of who was not found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from customers.services.finding import IdentifierKind, find_many
from segments.models import CustomerSegment
from segments.services.lists import Line
from segments.services.locking import lock
from segments.services.moving import Moves, write_moves
from segments.services.refreshing import SegmentError

MOST_LINES = 200_000
CHUNK_SIZE = 10_000


@dataclass(frozen=True)
class ImportReport:
    """What became of the lines. Lines about one person count as found, but add them once."""

    found_count: int
    entered_count: int
    already_count: int
    not_found: list[Line] = field(default_factory=list)


@transaction.atomic
def import_members(
    *,
    segment: CustomerSegment,
    lines: Sequence[Line],
    kind: IdentifierKind,
    actor: Actor,
    now: datetime,
) -> ImportReport:
    """Add whoever the lines lead to, by the same identity as events; nobody leaves.

    Raises SegmentError for a segment filled by rules, for no lines and for more than MOST_LINES.
    """
    if not segment.is_by_hand:
        raise SegmentError("Only a list takes people from a file.", code="not_by_hand")
    if not lines:
        raise SegmentError("There is nobody in it.", path="identifiers", code="empty")
    if len(lines) > MOST_LINES:
        message = f"At most {MOST_LINES:,} lines at once; here are {len(lines):,}."
        raise SegmentError(message, path="identifiers", code="too_many")
    known = find_many([line.text for line in lines], kind)
    not_found = [line for line in lines if line.text not in known]
    people = sorted(set(known.values()))
    lock(segment.pk)
    entered = 0
    for start in range(0, len(people), CHUNK_SIZE):
        moves = [Moves(segment.pk, entered=people[start : start + CHUNK_SIZE])]
        done = write_moves(moves, now=now, added_by=actor.id)
        entered += done.get(segment.pk, (0, 0))[0]
    CustomerSegment.objects.filter(pk=segment.pk).update(last_refreshed_at=now, is_stale=False)
    facts = {"lines": len(lines), "entered": entered, "notFound": len(not_found)}
    audit.record("IMPORT", segment, actor=actor, metadata=facts)
    return ImportReport(
        found_count=len(lines) - len(not_found),
        entered_count=entered,
        already_count=len(people) - entered,
        not_found=not_found,
    )
