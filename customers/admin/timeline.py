"""The timeline of the customer page, a page at a time as one scrolls."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.people import names_of
from customers.choices import ActivityCategory
from customers.models import CustomerProfile
from customers.services.timeline import Entry, Position, read_timeline

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


@dataclass(frozen=True)
class Line:
    """An entry as the template shows it."""

    entry: Entry
    icon: str
    source: str
    when: SafeString | str


@dataclass(frozen=True)
class Day:
    on: date
    lines: list[Line]
    is_continued: bool


def timeline_of(request: HttpRequest, customer: CustomerProfile) -> dict[str, Any]:
    """One page by ``?category=`` and ``?before=``. A position nobody gave out is the start."""
    category = request.GET.get("category", "")
    if category not in ActivityCategory.values:
        category = ""
    before = _position(request.GET.get("before", ""))
    page = read_timeline(
        customer_id=customer.pk,
        viewer=Actor.from_request(request).id,
        categories=[category] if category else [],
        before=before,
    )
    url = reverse("admin:customers_customerprofile_timeline", args=[customer.pk])
    shown = timezone.localdate(before.at) if before else None
    following = {"category": category, "before": str(page.next)}
    return {
        "days": _days(page.entries, shown),
        "is_first": before is None,
        "category": category,
        "choices": [("", "All"), *((c.value, NAMES.get(c, c.label)) for c in OFFERED)],
        "timeline_url": url,
        "next_url": f"{url}?{urlencode(following)}" if page.next else "",
    }


def _position(text: str) -> Position | None:
    try:
        return Position.parse(text) if text else None
    except ValueError:
        return None


def _days(entries: list[Entry], shown: date | None) -> list[Day]:
    authors = names_of(entry.author for entry in entries if entry.author)
    return [
        Day(on, [_line(entry, authors) for entry in same_day], is_continued=on == shown)
        for on, same_day in groupby(entries, key=lambda entry: timezone.localdate(entry.at))
    ]


def _line(entry: Entry, authors: dict[str, str]) -> Line:
    source = authors.get(entry.author) or SOURCES.get(entry.source, entry.source)
    return Line(entry, ICONS[ActivityCategory(entry.category)], source, ago(entry.at))
