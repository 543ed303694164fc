"""What became of a segment: its size day by day, an overlap, a past day, the last refreshes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from crm_site.access.services import limit_to_grants
from crm_site.backoffice.options import LazyTab
from segments.admin.members import customer_url
from segments.models import CustomerSegment
from segments.services.history import Overlap, Size, members_at, overlap, sizes
from segments.services.matching import tenant_clock
from segments.services.refreshing import SegmentError

DAYS, REFRESHES, OFFERED, PEOPLE = 90, 20, 200, 50
CHART_WIDTH, CHART_HEIGHT = 720, 120


class HistoryTab(LazyTab):
    name = "history"
    title = "History"
    template_name = "admin/segments/history.html"

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        segment: Any = self.obj
        now = timezone.now()
        others = limit_to_grants(CustomerSegment.objects.live(), request.user)
        others = others.exclude(pk=segment.pk).order_by("name")
        if "with" in request.GET:
            return {"part": "overlap", "overlap": _overlap(segment, others, request.GET["with"])}
        if "on" in request.GET:
            return {"part": "past", "past": _past(segment, request.GET["on"], now)}
        return {
            "refreshes": segment.refreshes.order_by("-requested_at")[:REFRESHES],
            "chart": size_chart(sizes(segment, days=DAYS, now=now)),
            "others": others[:OFFERED],
            "today": timezone.localdate(now),
        }


@dataclass(frozen=True)
class Chart:
    """A line of sizes over days, in the units of its own picture."""

    points: str
    low: int
    high: int
    first: Size
    last: Size
    width: int = CHART_WIDTH
    height: int = CHART_HEIGHT


def size_chart(days: Sequence[Size]) -> Chart | None:
    """The size at the end of each day; None where there is no line to draw yet."""
    if len(days) < 2:
        return None
    counts = [each.member_count for each in days]
    low, high = min(counts), max(counts)
    step = CHART_WIDTH / (len(days) - 1)
    points = " ".join(
        f"{number * step:.1f},"
        f"{CHART_HEIGHT - (count - low) / (high - low or 1) * (CHART_HEIGHT - 12) - 6:.1f}"
        for number, count in enumerate(counts)
    )
    return Chart(points, low, high, days[0], days[-1])


@dataclass(frozen=True)
class OverlapFigure:
    """A bar of three parts, each as wide as it is large."""

    other: CustomerSegment
    found: Overlap
    widths: tuple[float, float, float]
    share: str

    @property
    def both_from(self) -> float:
        return self.widths[0]

    @property
    def other_from(self) -> float:
        return self.widths[0] + self.widths[1]


def _overlap(segment: CustomerSegment, others: Any, other_id: str) -> OverlapFigure | None:
    """None for a segment that this user does not see."""
    other = others.filter(pk=_uuid(other_id)).first()
    if other is None:
        return None
    found = overlap(segment, other)
    parts = (found.first_only_count, found.both_count, found.second_only_count)
    all_of_them = sum(parts) or 1
    first, both, second = (round(CHART_WIDTH * part / all_of_them, 1) for part in parts)
    share = found.share_of_smaller
    told = "One of them is empty." if share is None else f"{share:.0%} of the smaller one."
    return OverlapFigure(other, found, (first, both, second), told)


@dataclass(frozen=True)
class Past:
    """Who was in it at the end of a day; or what is wrong with the day."""

    day: date | None
    count: int = 0
    people: Sequence[tuple[Any, str]] = ()
    refused: str = ""


def _past(segment: CustomerSegment, text: str, now: datetime) -> Past:
    try:
        day = date.fromisoformat(text)
        midnight = datetime.combine(day + timedelta(days=1), time(), tenant_clock(now).zone)
        found = members_at(segment, min(midnight, now), now=now)
        if day > timezone.localdate(now):
            return Past(day, refused="This is still to come.")
    except (ValueError, OverflowError):
        return Past(None, refused="Choose a day.")
    except SegmentError as error:
        return Past(day, refused=error.message)
    people = found.order_by("last_name", "first_name", "pk")[:PEOPLE]
    return Past(day, found.count(), [(each, customer_url(each.pk)) for each in people])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
