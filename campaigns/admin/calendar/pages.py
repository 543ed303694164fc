"""The calendar's page, and moving a campaign on it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from campaigns.admin.calendar.sheet import MONTH, WEEK, day_of, sheet_of
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from campaigns.services.calendar import calendar_entries, move_campaign
from crm_site.audit.actor import Actor
from crm_site.backoffice.options import scoped
from crm_site.errors import DomainError
from crm_site.tenancy.models import Club

LAUNCH = "campaigns.launch_campaign"
KEPT = ("view", "on", "status", "club")


class MoveForm(forms.Form):
    campaign = forms.UUIDField()
    day = forms.DateField()


class CalendarPages:
    """Addresses of the calendar. For the campaigns' admin."""

    admin_site: Any

    def calendar_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "campaigns_campaign_calendar"
        return [
            path("calendar/", view(require_GET(self.calendar_view)), name=name),
            path("calendar/move/", view(require_POST(self.move_view)), name=f"{name}_move"),
        ]

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        now, zone = timezone.now(), timezone.get_current_timezone()
        today = timezone.localtime(now).date()
        view = WEEK if request.GET.get("view") == WEEK else MONTH
        sheet = sheet_of(view, day_of(request.GET.get("on"), today))
        start, end = sheet.bounds(zone)
        clubs = list(scoped(Club, request).order_by("name"))
        campaigns = self._chosen(request, clubs)
        entries = calendar_entries(campaigns, start=start, end=end, now=now)
        context = {
            **admin.site.each_context(request),
            "opts": Campaign._meta,
            "title": "Calendar",
            "sheet": sheet,
            "weeks": sheet.weeks(entries, zone=zone, today=today),
            "entries": entries,
            "today": today,
            "zone": str(zone).replace("_", " "),
            "statuses": CampaignStatus.choices,
            "clubs": clubs,
            "status": request.GET.get("status", ""),
            "club": request.GET.get("club", ""),
            "turned": {name: self._address(request, **to) for name, to in _turns(sheet, today)},
            "here": self._address(request),
            "may_move": request.user.has_perm(LAUNCH),
            "moved": self._moved(request),
        }
        return render(request, "campaigns/calendar/page.html", context)

    def move_view(self, request: HttpRequest) -> HttpResponse:
        """Another day for one campaign. Goes back to the calendar, which offers to undo it."""
        form = MoveForm(request.POST)
        kept = {name: request.POST[name] for name in KEPT if request.POST.get(name)}
        back = reverse("admin:campaigns_campaign_calendar")
        if not form.is_valid():
            messages.error(request, "Choose the day it should go out on.")
            return HttpResponseRedirect(f"{back}?{urlencode(kept)}")
        campaign = self.get_object_or_404(request, str(form.cleaned_data["campaign"]))  # type: ignore[attr-defined]
        self.require(request, ("change", LAUNCH), campaign)  # type: ignore[attr-defined]
        before = _local_day(campaign)
        try:
            move_campaign(
                campaign_id=campaign.pk,
                day=form.cleaned_data["day"],
                actor=Actor.from_request(request),
            )
        except DomainError as error:
            messages.error(request, f"“{campaign}” stays where it is. {error.message}")
        else:
            kept |= {"moved": str(campaign.pk), "from": before}
        return HttpResponseRedirect(f"{back}?{urlencode(kept)}")

    def _chosen(self, request: HttpRequest, clubs: list[Club]) -> Any:
        campaigns = self.get_queryset(request)  # type: ignore[attr-defined]
        if request.GET.get("status") in CampaignStatus.values:
            campaigns = campaigns.filter(status=request.GET["status"])
        if request.GET.get("club") in {str(club.pk) for club in clubs}:
            campaigns = campaigns.filter(club_id=request.GET["club"])
        return campaigns

    def _moved(self, request: HttpRequest) -> dict[str, Any] | None:
        """What was moved just now, and the day that undoes it."""
        try:
            moved = UUID(request.GET["moved"])
        except (KeyError, ValueError):
            return None
        rows = self.get_queryset(request)  # type: ignore[attr-defined]
        campaign = rows.filter(pk=moved, scheduled_at__isnull=False).first()
        if campaign is None:
            return None
        before = day_of(request.GET.get("from"), timezone.localdate())
        return {"campaign": campaign, "from": before}

    def _address(self, request: HttpRequest, **changed: Any) -> str:
        kept = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
        return f"?{urlencode({**kept, **changed})}"


def _turns(sheet: Any, today: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("before", {"on": sheet.before}),
        ("after", {"on": sheet.after}),
        ("today", {"on": today}),
        (MONTH, {"view": MONTH, "on": sheet.on}),
        (WEEK, {"view": WEEK, "on": sheet.on}),
    ]


def _local_day(campaign: Campaign) -> str:
    """The day it goes out on, by its own clock; blank without one."""
    if campaign.scheduled_at is None:
        return ""
    zone = ZoneInfo(campaign.timezone or "UTC")
    return campaign.scheduled_at.astimezone(zone).date().isoformat()
