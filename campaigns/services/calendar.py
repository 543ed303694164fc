"""What goes out on which day: what went, what is set, what a repeating campaign will do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from campaigns.choices import CampaignStatus, CampaignType, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services.lifecycle import CampaignError, change_campaign, schedule_campaign
from campaigns.services.recurrence import RecurrenceError, next_runs
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND

# Of a month no more are drawn: nobody reads them, and a page must not grow without end.
MOST_SHOWN = 500
MOST_REPEATS = 62
MOVABLE = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
ON_THE_CALENDAR = (CampaignType.ONE_TIME, CampaignType.RECURRING)


@dataclass(frozen=True)
class Entry:
    """Something that goes out at a moment. ``is_to_come``: a further run of a repeating one."""

    campaign: Campaign
    at: datetime
    status: str
    label: str
    run_id: UUID | None = None
    is_to_come: bool = False

    @property
    def is_movable(self) -> bool:
        """Whether its day may still be changed: it has one date of its own, and has not left."""
        return (
            self.run_id is None
            and not self.is_to_come
            and self.campaign.type == CampaignType.ONE_TIME
            and self.campaign.status in MOVABLE
        )


def calendar_entries(
    campaigns: Any, *, start: datetime, end: datetime, now: datetime
) -> list[Entry]:
    """Everything of ``campaigns`` (a queryset) from ``start`` up to ``end``, in order of time."""
    shown = campaigns.filter(type__in=ON_THE_CALENDAR, is_system=False)
    found = [
        *_gone(shown, start, end),
        *_set(shown, start, end),
        *_to_come(shown, max(start, now), end),
    ]
    return sorted(found, key=lambda each: (each.at, each.campaign.name))


@transaction.atomic
def move_campaign(*, campaign_id: UUID, day: date, actor: Actor) -> Campaign:
    """Let a campaign go out on another day, at the same time by the clock of its zone.

    A scheduled one passes the same gate as when it was scheduled. Raises CampaignError for one that
    has no date of its own, or a time that the clocks skip on that day.
    """
    campaign = Campaign.objects.live().filter(pk=campaign_id).first()
    if campaign is None:
        raise CampaignError("There is no such campaign.", code=NOT_FOUND)
    if campaign.type != CampaignType.ONE_TIME or campaign.scheduled_at is None:
        raise CampaignError("It has no day of its own that could be moved.", path="scheduled_at")
    zone = ZoneInfo(campaign.timezone or "UTC")
    at = _on_day(day, campaign.scheduled_at.astimezone(zone).time(), zone)
    if campaign.status == CampaignStatus.DRAFT:
        return change_campaign(campaign_id=campaign_id, values={"scheduled_at": at})
    return schedule_campaign(campaign_id=campaign_id, actor=actor, scheduled_at=at)


def _on_day(day: date, hour: time, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, hour, tzinfo=zone)
    utc = ZoneInfo("UTC")
    if local.astimezone(utc).astimezone(zone) != local:
        raise CampaignError(
            "The clocks go forward then: that time does not exist on that day.",
            path="scheduled_at",
        )
    return local


def _gone(campaigns: Any, start: datetime, end: datetime) -> Iterator[Entry]:
    runs = CampaignRun.objects.filter(
        campaign__in=campaigns, occurrence_at__gte=start, occurrence_at__lt=end
    ).select_related("campaign")
    for run in runs.order_by("-occurrence_at", "-id")[:MOST_SHOWN]:
        label = RunStatus(run.status).label
        yield Entry(run.campaign, run.occurrence_at, run.status, label, run_id=run.pk)


def _set(campaigns: Any, start: datetime, end: datetime) -> Iterator[Entry]:
    rows = campaigns.filter(
        type=CampaignType.ONE_TIME,
        status__in=MOVABLE,
        scheduled_at__gte=start,
        scheduled_at__lt=end,
    )
    for row in rows.order_by("scheduled_at", "id")[:MOST_SHOWN]:
        yield Entry(row, row.scheduled_at, row.status, CampaignStatus(row.status).label)


def _to_come(campaigns: Any, start: datetime, end: datetime) -> Iterator[Entry]:
    if start >= end:
        return
    live = (CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
    rows = campaigns.filter(type=CampaignType.RECURRING, status__in=live)
    for row in rows.order_by("id")[:MOST_SHOWN]:
        try:
            runs = next_runs(row, after=start - timedelta(seconds=1), count=MOST_REPEATS)
        except RecurrenceError:
            continue  # Its own page says so.
        for at in runs:
            if at < end:
                yield Entry(row, at, row.status, "To come", is_to_come=True)
