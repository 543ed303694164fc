"""Figures of the landing page: how the club is doing, and what waits for somebody.

Figures are the same for everybody in the club and a few minutes old at most; what waits and the
campaigns are asked afresh, by what the user may see. No query reads more than an index range.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from campaigns.choices import CampaignInteractionType, CampaignStatus, RunStatus
from campaigns.models import Campaign, CampaignInteraction, CampaignRun
from crm_site.access.services import limit_to_grants
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from customers.choices import SyncStatus
from customers.models import Activity, CustomerProfile, DuplicateCandidate, SyncLog
from segments.models import CustomerSegment

KEPT_SECONDS = 180
WEEKS = 12
COUNT_UP_TO = 100
STALE_AFTER = timedelta(hours=2)
RECENT_CAMPAIGNS = 5
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


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's dashboard callback: everything ``admin/home.html`` shows."""
    now = timezone.localtime()
    figures = _kept_figures(now)
    return context | {
        "greeting": _greeting(now),
        "today": now,
        "figures": _cards(figures),
        "waiting": [task for task in _tasks(request, now) if task],
        "weeks": _weeks(figures.bookings, now.date()),
        "has_bookings": any(figures.bookings),
        "campaigns": _campaigns(request),
        "campaigns_link": _list("campaigns_campaign"),
        "steps": None if figures.customers else _first_steps(request),
    }


def _kept_figures(now: datetime) -> Figures:
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


# What is shown


@dataclass(frozen=True)
class Card:
    """One figure. ``value`` None: not known yet, and ``note`` says when it will be."""

    title: str
    value: str | None
    note: str = ""
    link: str | None = None
    tone: str = ""


def _cards(figures: Figures) -> list[Card]:
    customers = _list("customers_customerprofile")
    recent, before = sum(figures.bookings[-30:]), sum(figures.bookings[-60:-30])
    return [
        Card("Customers", f"{figures.customers:,}", "everybody the club knows", customers),
        _of_segment(figures, "Active Members", "Active members", "membership is active today"),
        Card("New this week", f"{figures.new_this_week:,}", "first seen in 7 days",
             _list("customers_customerprofile", "known=7")),
        Card("Tee times booked", f"{recent:,}", _compared(recent, before),
             _list("customers_activity", "type=TEETIME_BOOKED")),
        _open_rate(figures),
        _of_segment(figures, "At Risk (Churn)", "At risk", "may be about to leave", tone="risk"),
    ]  # fmt: skip


def _of_segment(figures: Figures, name: str, title: str, note: str, tone: str = "") -> Card:
    known = figures.segments.get(name)
    if known is None:
        return Card(title, None, "counted within a few minutes")
    pk, members = known
    return Card(title, f"{members:,}", note, _page("segments_customersegment", pk), tone)


def _open_rate(figures: Figures) -> Card:
    title = "E-mails opened"
    if not figures.delivered:
        return Card(title, None, "no e-mail delivered in 28 days", _list("campaigns_campaign"))
    share = figures.opened / figures.delivered
    note = f"of {figures.delivered:,} delivered in 28 days"
    return Card(title, f"{share:.0%}", note, _list("campaigns_campaign"))


def _compared(recent: int, before: int) -> str:
    if not before:
        return "in the last 30 days"
    change = (recent - before) / before
    if abs(change) < 0.005:
        return "in 30 days, as many as before"
    return f"in 30 days, {abs(change):.0%} {'more' if change > 0 else 'fewer'} than before"


@dataclass(frozen=True)
class Task:
    """Something that waits for a person."""

    text: str
    link: str | None
    icon: str


def _tasks(request: HttpRequest, now: datetime) -> Iterable[Task | None]:
    may = request.user.has_perm
    if may("customers.view_synclog"):
        failed = SyncLog.objects.filter(status=SyncStatus.FAILED)
        yield _task(failed, "event could not be processed", "events could not be processed",
                    _list("customers_synclog", "status__exact=FAILED"), "error")  # fmt: skip
    if may("customers.merge_customerprofile"):
        yield _task(DuplicateCandidate.objects.pending(), "possible duplicate to look at",
                    "possible duplicates to look at", _list("customers_duplicatecandidate"),
                    "person_search")  # fmt: skip
    if may("campaigns.launch_campaign"):
        missed = CampaignRun.objects.filter(status=RunStatus.MISSED)
        yield _task(missed, "campaign missed its time", "campaigns missed their time",
                    _list("campaigns_campaignrun", "status__exact=MISSED"), "schedule")  # fmt: skip
        paused = _visible(Campaign.objects.live(), request).filter(status=CampaignStatus.PAUSED)
        link = _list("campaigns_campaign", "status__exact=PAUSED")
        yield _task(paused, "campaign is paused", "campaigns are paused", link, "pause_circle")
    if may("segments.change_customersegment"):
        segments = _visible(CustomerSegment.objects.usable(), request)
        yield _task(segments.filter(broken_reason__isnull=False),
                    "segment has rules that can no longer be read",
                    "segments have rules that can no longer be read",
                    _list("segments_customersegment"), "rule")  # fmt: skip
        yield _task(segments.filter(next_refresh_at__lt=now - STALE_AFTER),
                    "segment is waiting for its refresh", "segments are waiting for their refresh",
                    _list("segments_customersegment"), "update")  # fmt: skip


def _task(rows: Any, one: str, many: str, link: str | None, icon: str) -> Task | None:
    number = rows[: COUNT_UP_TO + 1].count()
    if not number:
        return None
    shown = f"{COUNT_UP_TO}+" if number > COUNT_UP_TO else str(number)
    return Task(f"{shown} {one if number == 1 else many}", link, icon)


def _visible(rows: Any, request: HttpRequest) -> Any:
    return limit_to_grants(rows, request.user)


def _campaigns(request: HttpRequest) -> list[dict[str, Any]]:
    """The latest campaigns that went out, each with how far its messages came."""
    rows = _visible(Campaign.objects.live(), request).filter(started_at__isnull=False)
    found = []
    for row in rows.order_by("-created_at", "-id")[:RECENT_CAMPAIGNS]:
        counts = (
            ("Sent", row.sent_count),
            ("Delivered", row.delivered_count),
            ("Opened", row.opened_count),
            ("Clicked", row.clicked_count),
        )
        whole = max(row.sent_count, 1)
        found.append(
            {
                "name": row.name,
                "status": row.get_status_display(),
                "tone": row.status.lower(),
                "started_at": row.started_at,
                "link": _page("campaigns_campaign", row.pk),
                "funnel": [
                    {"name": name, "count": count, "width": round(100 * min(count / whole, 1))}
                    for name, count in counts
                ],
            }
        )
    return found


def _weeks(bookings: list[int], today: date) -> list[dict[str, Any]]:
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


def _first_steps(request: HttpRequest) -> list[dict[str, str | None]]:
    """What to do first in a club that knows nobody yet."""
    steps = (
        ("Let your other systems tell Fairway", "Memberships, bookings and deliveries arrive by "
         "themselves once each service has an address here.", "access_webhookendpoint", "webhook"),
        ("Add the people you work with", "Each signs in with a role of their own.",
         "access_tenantmembership", "badge"),
        ("Add a customer by hand", "Or wait for the first event: customers appear by themselves.",
         "customers_customerprofile", "person_add"),
        ("Make a segment", "Say who you want to speak to; Fairway keeps the list up to date.",
         "segments_customersegment", "groups"),
    )  # fmt: skip
    permitted = (
        {"title": title, "text": text, "icon": icon, "link": _list(name, page="add")}
        for title, text, name, icon in steps
        if request.user.has_perm(_add_permission(name))
    )
    return [step for step in permitted if step["link"]]


def _add_permission(name: str) -> str:
    app_label, model = name.split("_", 1)
    return f"{app_label}.add_{model}"


def _greeting(now: datetime) -> str:
    if now.hour < 12:
        return "Good morning"
    return "Good afternoon" if now.hour < 18 else "Good evening"


def _list(name: str, query: str = "", page: str = "changelist") -> str | None:
    try:
        url = reverse(f"admin:{name}_{page}")
    except NoReverseMatch:
        return None
    return f"{url}?{query}" if query else url


def _page(name: str, pk: object) -> str | None:
    try:
        return reverse(f"admin:{name}_change", args=[pk])
    except NoReverseMatch:
        return None
