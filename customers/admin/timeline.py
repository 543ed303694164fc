"""The timeline of the customer page, a page at a time as one scrolls, and what is still to come."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.people import names_of
from customers.choices import ActivityCategory
from customers.models import CustomerProfile
from customers.services.timeline import Entry, Position, read_coming, read_timeline

ICONS = {
    ActivityCategory.MEMBERSHIP: "card_membership",
    ActivityCategory.BOOKING: "event_available",
    ActivityCategory.COMMUNICATION: "mail",
    ActivityCategory.ENGAGEMENT: "ads_click",
    ActivityCategory.FINANCIAL: "payments",
    ActivityCategory.GOLF: "golf_course",
    ActivityCategory.MARKETING: "campaign",
    ActivityCategory.SUPPORT: "sticky_note_2",
    ActivityCategory.SOCIAL: "forum",
    ActivityCategory.SYSTEM: "settings",
}
SOURCES = {"scl": "SCL", "teetime": "TeeTime", "messaging": "Messaging", "crm": "Fairway"}
# What staff ask for; the others are rare and show under All.
OFFERED = (
    ActivityCategory.BOOKING,
    ActivityCategory.MEMBERSHIP,
    ActivityCategory.FINANCIAL,
    ActivityCategory.GOLF,
    ActivityCategory.COMMUNICATION,
    ActivityCategory.ENGAGEMENT,
    ActivityCategory.SUPPORT,
)
NAMES = {ActivityCategory.SUPPORT: "Notes", ActivityCategory.COMMUNICATION: "Messages"}
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Reference:
    """What an entry belongs to, such as a campaign, and its page."""

    text: str
    link: str


# Asked once a page of the timeline: which entries belong to what, by the entry's id.
ReferenceFinder = Callable[[HttpRequest, Iterable[Entry]], Mapping[UUID, Reference]]
_finders: list[tuple[str, ReferenceFinder]] = []


def timeline_references(*, permission: str) -> Callable[[ReferenceFinder], ReferenceFinder]:
    """Register ``find(request, entries)``, asked only for users with ``permission``."""

    def register(finder: ReferenceFinder) -> ReferenceFinder:
        _finders.append((permission, finder))
        return finder

    return register


@dataclass(frozen=True)
class Line:
    """An entry as the template shows it."""

    entry: Entry
    icon: str
    source: str
    when: SafeString | str
    reference: Reference | None = None


@dataclass(frozen=True)
class Day:
    on: date
    lines: list[Line]
    is_continued: bool


def timeline_of(request: HttpRequest, customer: CustomerProfile) -> dict[str, Any]:
    """One page by ``?category=``, ``?service=``, ``?words=`` and ``?before=``.

    What nobody offers is passed over, and a position nobody gave out is the start.
    """
    category = _offered(request.GET.get("category", ""), ActivityCategory.values)
    service = _offered(request.GET.get("service", ""), SOURCES)
    words = request.GET.get("words", "").strip()[:LONGEST_SEARCH]
    before = _position(request.GET.get("before", ""))
    viewer = Actor.from_request(request).id
    page = read_timeline(
        customer_id=customer.pk,
        viewer=viewer,
        categories=[category] if category else [],
        services=[service] if service else [],
        text=words,
        before=before,
    )
    url = reverse("admin:customers_customerprofile_timeline", args=[customer.pk])
    shown = timezone.localdate(before.at) if before else None
    asked = {"category": category, "service": service, "words": words}
    is_narrowed = any(asked.values())
    coming = [] if is_narrowed or before else _coming(request, customer, viewer)
    return {
        "days": _days(request, page.entries, shown),
        "coming": coming,
        "is_first": before is None,
        "is_narrowed": is_narrowed,
        **asked,
        "choices": [("", "All"), *((c.value, NAMES.get(c, c.label)) for c in OFFERED)],
        "services": [("", "From anywhere"), *SOURCES.items()],
        "timeline_url": url,
        "next_url": f"{url}?{urlencode({**asked, 'before': str(page.next)})}" if page.next else "",
    }


def _offered(value: str, offered: Iterable[str]) -> str:
    return value if value in offered else ""


def _position(text: str) -> Position | None:
    try:
        return Position.parse(text) if text else None
    except ValueError:
        return None


def _coming(request: HttpRequest, customer: CustomerProfile, viewer: str) -> list[Line]:
    entries = read_coming(customer_id=customer.pk, viewer=viewer, now=timezone.now())
    return _lines(request, entries)


def _days(request: HttpRequest, entries: list[Entry], shown: date | None) -> list[Day]:
    return [
        Day(on, list(same_day), is_continued=on == shown)
        for on, same_day in groupby(
            _lines(request, entries), key=lambda line: timezone.localdate(line.entry.at)
        )
    ]


def _lines(request: HttpRequest, entries: list[Entry]) -> list[Line]:
    authors = names_of(entry.author for entry in entries if entry.author)
    references: dict[UUID, Reference] = {}
    for permission, find in _finders:
        if entries and request.user.has_perm(permission):
            references |= find(request, entries)
    return [
        Line(
            entry=entry,
            icon=ICONS[ActivityCategory(entry.category)],
            source=authors.get(entry.author) or SOURCES.get(entry.source, entry.source),
            when=ago(entry.at),
            reference=references.get(entry.id),
        )
        for entry in entries
    ]
