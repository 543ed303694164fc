"""Everything the landing page shows, put together."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from crm_site.dashboard.campaigns import recent_campaigns
from crm_site.dashboard.figures import cards, kept_figures, weeks
from crm_site.dashboard.first_steps import first_steps
from crm_site.dashboard.follow_ups import follow_ups
from crm_site.dashboard.links import list_link
from crm_site.dashboard.waiting import waiting_tasks
from crm_site.dashboard.weekly import week_of_campaigns


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's dashboard callback: everything ``admin/home.html`` shows."""
    now = timezone.localtime()
    figures = kept_figures(now)
    return context | {
        "greeting": _greeting(now),
        "today": now,
        "figures": cards(figures),
        "follow_ups": follow_ups(request, now.date()),
        "waiting": waiting_tasks(request, now),
        "weeks": weeks(figures.bookings, now.date()),
        "has_bookings": any(figures.bookings),
        "week": week_of_campaigns(request, now),
        "campaigns": recent_campaigns(request),
        "campaigns_link": list_link("campaigns_campaign"),
        "steps": None if figures.customers else first_steps(request),
    }


def _greeting(now: datetime) -> str:
    if now.hour < 12:
        return "Good morning"
    return "Good afternoon" if now.hour < 18 else "Good evening"
