"""Opening the runs of repeating campaigns as their times come."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from campaigns.choices import CampaignStatus, CampaignType, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services.lifecycle import LATEST_START
from campaigns.services.recurrence import next_run
from campaigns.services.runs import close_recurring, open_run
from crm_site.audit.actor import Actor


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
    latest = _latest_due(campaign, now)
    if latest is None:
        close_recurring(campaign, now)
        return False
    if now - latest <= LATEST_START:
        return open_run(campaign=campaign, occurrence_at=latest, actor=actor) is not None
    run = open_run(campaign=campaign, occurrence_at=latest, actor=actor, status=RunStatus.MISSED)
    CampaignRun.objects.filter(pk=run.pk).update(
        error="We were not running at its time, and came back too late to send it.",
        completed_at=now,
    )
    return False


def _latest_due(campaign: Campaign, now: datetime) -> datetime | None:
    """The last occurrence up to ``now`` that has no run yet, nor one after it."""
    newest = campaign.runs.order_by("-occurrence_at").values_list("occurrence_at", flat=True)
    after = newest.first() or campaign.started_at or now
    latest = None
    while (due := next_run(campaign, after=after)) and due <= now:
        after = latest = due
    return latest
