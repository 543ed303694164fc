"""The week's campaigns in a few numbers, beside the week before."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Sum
from django.http import HttpRequest

from campaigns.models import Campaign
from crm_site.access.services import limit_to_grants
from crm_site.dashboard.links import list_link, page_link

WEEK = timedelta(days=7)
SUMS = ("sent_count", "delivered_count", "opened_count", "clicked_count", "converted_count")


@dataclass(frozen=True)
class WeekFigure:
    """One number of the last seven days; ``note`` sets it beside the seven before."""

    title: str
    value: str
    note: str
    link: str | None


@dataclass(frozen=True)
class Week:
    figures: list[WeekFigure]
    best: dict[str, Any] | None


def week_of_campaigns(request: HttpRequest, now: datetime) -> Week | None:
    """Campaigns that went out in the last seven days; None where none did in fourteen.

    Two sums over the campaigns' counters by an index range, whatever was sent.
    """
    if not request.user.has_perm("campaigns.view_campaign"):
        return None
    campaigns = limit_to_grants(Campaign.objects.live(), request.user).filter(is_system=False)
    this, before = _sums(campaigns, now - WEEK, now), _sums(campaigns, now - 2 * WEEK, now - WEEK)
    if not (this["campaigns"] or before["campaigns"]):
        return None
    since = f"started_at__gte={(now - WEEK).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    link = list_link("campaigns_campaign", since) if this["campaigns"] else None
    figures = [
        WeekFigure("Campaigns", f"{this['campaigns']:,}", _than(this, before, "campaigns"), link),
        WeekFigure("Messages sent", f"{this['sent_count']:,}", _than(this, before, "sent_count"),
                   link),
        WeekFigure("Opened", _rate(this, "opened_count"), _rate_before(before, "opened_count"),
                   link),
        WeekFigure("Clicked", _rate(this, "clicked_count"), _rate_before(before, "clicked_count"),
                   link),
        WeekFigure("Goals met", f"{this['converted_count']:,}",
                   _than(this, before, "converted_count"), link),
    ]  # fmt: skip
    return Week(figures, _best(campaigns, now))


def _sums(campaigns: Any, start: datetime, end: datetime) -> dict[str, int]:
    rows = campaigns.filter(started_at__gte=start, started_at__lt=end)
    found = rows.aggregate(campaigns=Count("pk"), **{name: Sum(name) for name in SUMS})
    return {name: value or 0 for name, value in found.items()}


def _best(campaigns: Any, now: datetime) -> dict[str, Any] | None:
    """Of the week's campaigns the one most opened."""
    rows = campaigns.filter(started_at__gte=now - WEEK, open_rate__isnull=False)
    row = rows.order_by("-open_rate", "-delivered_count", "id").first()
    if row is None or not row.opened_count:
        return None
    return {
        "name": row.name,
        "rate": f"{row.open_rate:.0%}",
        "link": page_link("campaigns_campaign", row.pk),
    }


def _than(this: dict[str, int], before: dict[str, int], name: str) -> str:
    change = this[name] - before[name]
    if not change:
        return "as many as the week before"
    return f"{abs(change):,} {'more' if change > 0 else 'fewer'} than the week before"


def _rate(sums: dict[str, int], name: str) -> str:
    return f"{sums[name] / sums['delivered_count']:.0%}" if sums["delivered_count"] else "–"


def _rate_before(before: dict[str, int], name: str) -> str:
    return f"{_rate(before, name)} the week before" if before["delivered_count"] else "of delivered"
