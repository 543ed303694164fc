"""Opening the runs of repeating campaigns as their times come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from django.db import transaction

from campaigns.choices import CampaignStatus, CampaignType, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.models.campaign import FURTHEST_ZONES
from campaigns.services.due_times import opens_at
from campaigns.services.recurrence import occurrences, skipped_runs
from campaigns.services.runs import complete_campaign, open_run
from crm_site.audit.actor import Actor

MISSED = "Nothing was sent at its time, and by now it is too late to send it without asking."
# The latest occurrence is looked for here first, and only then since the last run.
RECENTLY = timedelta(days=2)


def open_due_runs(*, now: datetime, actor: Actor) -> int:
    """Open the run of every repeating campaign of the tenant in scope whose time has come.

    After an outage only the latest occurrence counts, and past its limit that one is MISSED: at
    most one catch-up each. Returns how many were opened to send.
    """
    active = Campaign.objects.live().filter(
        type=CampaignType.RECURRING, status=CampaignStatus.ACTIVE
    )
    with transaction.atomic():
        ids = list(active.values_list("pk", flat=True))
    return sum(_open_due_run(campaign_id, now, actor) for campaign_id in ids)


@transaction.atomic
def _open_due_run(campaign_id: UUID, now: datetime, actor: Actor) -> bool:
    campaign = (
        Campaign.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=campaign_id, status=CampaignStatus.ACTIVE)
        .first()
    )
    if campaign is None:
        return False
    latest = latest_due(campaign, now)
    if latest is None:
        complete_campaign(campaign, now)
        return False
    if now - latest <= campaign.late_limit:
        return open_run(campaign=campaign, occurrence_at=latest, actor=actor) is not None
    run = open_run(campaign=campaign, occurrence_at=latest, actor=actor, status=RunStatus.MISSED)
    CampaignRun.objects.filter(pk=run.pk).update(error=MISSED, completed_at=now)
    return False


def latest_due(campaign: Campaign, now: datetime) -> datetime | None:
    """The last occurrence that is due, has no run yet, nor one after it, and was not skipped."""
    made = campaign.runs.exclude(status=RunStatus.SKIPPED).order_by("-occurrence_at")
    after = made.values_list("occurrence_at", flat=True).first() or _before_the_first(campaign, now)
    skipped = skipped_runs(campaign, after=after)
    for since in (max(after, now - RECENTLY), after):
        due = [at for at in _due(campaign, since, now) if at not in skipped]
        if due:
            return due[-1]
    return None


def _due(campaign: Campaign, after: datetime, now: datetime) -> Iterator[datetime]:
    soon = takewhile(lambda at: at <= now + FURTHEST_ZONES, occurrences(campaign, after=after))
    return (at for at in soon if opens_at(campaign, at) <= now)


def _before_the_first(campaign: Campaign, now: datetime) -> datetime:
    """A moment before every occurrence that is its own: one at the very start is."""
    begins = campaign.scheduled_at or campaign.started_at or now
    return begins - timedelta(seconds=1)
