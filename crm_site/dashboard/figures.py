"""The club's numbers, kept for a few minutes, and the cards that show them."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from campaigns.choices import CampaignInteractionType
from campaigns.models import CampaignInteraction
from crm_site.dashboard.links import list_link, page_link
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from customers.models import Activity, CustomerProfile
from segments.models import CustomerSegment

KEPT_SECONDS = 180
WEEKS = 12
SYSTEM_SEGMENTS = ("Active Members", "At Risk (Churn)")


@dataclass(frozen=True)
class Figures:
    """Numbers of one tenant. ``bookings`` are per day, newest last, for twelve weeks.

    A segment's number is (id, members), None before its first refresh.
    """

    customers: int
    new_this_week: int
    bookings: list[int]
    delivered: int
    opened: int
    segments: dict[str, tuple[str, int] | None]


def kept_figures(now: datetime) -> Figures:
    key = f"home:{require_tenant_id()}"
    kept = cache.get(key)
    if kept is None:
        kept = asdict(_figures(now))
        cache.set(key, kept, KEPT_SECONDS)
    return Figures(**kept)


def _figures(now: datetime) -> Figures:
    live = CustomerProfile.objects.live()
    answers = CampaignInteraction.objects.filter(
        channel=Channel.EMAIL, occurred_at__gte=now - timedelta(days=28)
    ).aggregate(
        delivered=_people_who(CampaignInteractionType.DELIVERED),
        opened=_people_who(CampaignInteractionType.OPENED),
    )
    return Figures(
        customers=live.count(),
        new_this_week=live.filter(created_at__gte=now - timedelta(days=7)).count(),
        bookings=_bookings_by_day(now),
        delivered=answers["delivered"],
        opened=answers["opened"],
        segments=_system_segments(),
    )


def _people_who(kind: str) -> Count:
    # A message is opened as often as somebody looks at it; it counts once.
    return Count("message_id", distinct=True, filter=Q(type=kind))


def _bookings_by_day(now: datetime) -> list[int]:
    first = now.date() - timedelta(days=WEEKS * 7 - 1)
    by_day = dict(
        Activity.objects.filter(
            type="TEETIME_BOOKED", occurred_at__gte=now - timedelta(days=WEEKS * 7)
        )
        .annotate(day=TruncDate("occurred_at"))
        .values_list("day")
        .annotate(number=Count("pk"))
    )
    return [by_day.get(first + timedelta(days=day), 0) for day in range(WEEKS * 7)]


def _system_segments() -> dict[str, tuple[str, int] | None]:
    rows = CustomerSegment.objects.live().filter(is_system=True, name__in=SYSTEM_SEGMENTS)
    return dict.fromkeys(SYSTEM_SEGMENTS) | {
        row.name: (str(row.pk), row.member_count) for row in rows if row.last_refreshed_at
    }


@dataclass(frozen=True)
class Card:
    """One figure. ``value`` None: not known yet, and ``note`` says when it will be."""

    title: str
    value: str | None
    note: str = ""
    link: str | None = None
    tone: str = ""


def cards(figures: Figures) -> list[Card]:
    customers = list_link("customers_customerprofile")
    recent, before = sum(figures.bookings[-30:]), sum(figures.bookings[-60:-30])
    return [
        Card("Customers", f"{figures.customers:,}", "everybody the club knows", customers),
        _of_segment(figures, "Active Members", "Active members", "membership is active today"),
        Card("New this week", f"{figures.new_this_week:,}", "first seen in 7 days",
             list_link("customers_customerprofile", "known=7")),
        Card("Tee times booked", f"{recent:,}", _compared(recent, before),
             list_link("customers_activity", "type=TEETIME_BOOKED")),
        _open_rate(figures),
        _of_segment(figures, "At Risk (Churn)", "At risk", "may be about to leave", tone="risk"),
    ]  # fmt: skip


def _of_segment(figures: Figures, name: str, title: str, note: str, tone: str = "") -> Card:
    known = figures.segments.get(name)
    if known is None:
        return Card(title, None, "counted within a few minutes")
    pk, members = known
    return Card(title, f"{members:,}", note, page_link("segments_customersegment", pk), tone)


def _open_rate(figures: Figures) -> Card:
    title = "E-mails opened"
    if not figures.delivered:
        return Card(title, None, "no e-mail delivered in 28 days", list_link("campaigns_campaign"))
    share = figures.opened / figures.delivered
    note = f"of {figures.delivered:,} delivered in 28 days"
    return Card(title, f"{share:.0%}", note, list_link("campaigns_campaign"))


def _compared(recent: int, before: int) -> str:
    if not before:
        return "in the last 30 days"
    change = (recent - before) / before
    if abs(change) < 0.005:
        return "in 30 days, as many as before"
    return f"in 30 days, {abs(change):.0%} {'more' if change > 0 else 'fewer'} than before"


def weeks(bookings: list[int], today: date) -> list[dict[str, Any]]:
    """Bookings by week, oldest first, with bar heights in per cent of the best week."""
    totals = [sum(bookings[week * 7 : week * 7 + 7]) for week in range(WEEKS)]
    best = max(*totals, 1)
    return [
        {
            "since": today - timedelta(days=(WEEKS - week) * 7 - 1),
            "total": total,
            "height": round(100 * total / best),
        }
        for week, total in enumerate(totals)
    ]
