"""What uses a segment: other segments, and whatever the apps above say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from segments.models import CustomerSegment
from segments.rules.references import mentioned_in


@dataclass(frozen=True)
class Use:
    """Something that asks who is in a segment. ``kind`` reads well before the name: “campaign”.

    While it ``is_live`` the segment cannot be deleted. ``is_scheduled``: it will write to the
    members by itself, so a sudden change waits for a person. ``admin_page`` names its page.
    """

    kind: str
    name: str
    pk: UUID
    admin_page: str
    is_live: bool = False
    is_scheduled: bool = False


Finder = Callable[[UUID], Iterable[Use]]
_finders: list[Finder] = []


def register_use(find: Finder) -> Finder:
    """Let ``find(segment_id)`` tell of uses; called once at start-up by the app that has them."""
    _finders.append(find)
    return find


def uses_of(segment: CustomerSegment) -> list[Use]:
    """Live ones first, then by kind and name."""
    found = [use for find in _finders for use in find(segment.pk)]
    return sorted(found, key=lambda use: (not use.is_live, use.kind, use.name.casefold()))


@register_use
def _segments(segment_id: UUID) -> Iterable[Use]:
    others = CustomerSegment.objects.live().exclude(pk=segment_id)
    for pk, name, criteria in others.values_list("pk", "name", "criteria"):
        if segment_id in mentioned_in(criteria):
            yield Use("segment", name, pk, "segments_customersegment_change", is_live=True)
