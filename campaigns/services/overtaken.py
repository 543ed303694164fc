"""What a pause or a cancellation leaves behind: too old to be sent, or not wanted any more."""

from datetime import datetime

from django.db.models.functions import Coalesce

from campaigns.choices import (
    CampaignType,
    DeliveryReason,
    DeliveryState,
    FiringReason,
    FiringState,
    RunStatus,
)
from campaigns.models import Campaign, Delivery
from campaigns.services.recurring import MISSED, latest_due


def expire_overtaken(campaign: Campaign, now: datetime) -> int:
    """Leave out what a pause has made too old. Returns how many messages.

    * One that goes out once goes on: its people were promised this message. What has waited for a
      day and a half is left out as it is claimed.
    * A repeating one drops the rest of a run when a later occurrence has come, since the same
      people hear with that; a run not yet begun past its limit is MISSED, and a person is asked.
    * A triggered one drops what is past its limit: the event is an old story by now.
    """
    limit = now - campaign.late_limit
    if campaign.type == CampaignType.RECURRING:
        campaign.runs.filter(status=RunStatus.PENDING, occurrence_at__lt=limit).update(
            status=RunStatus.MISSED, error=MISSED, completed_at=now
        )
        latest = latest_due(campaign, now) or _latest_run(campaign)
        return _leave_out(campaign, min(latest, limit), now) if latest else 0
    if campaign.type == CampaignType.TRIGGERED:
        campaign.firings.waiting().filter(due_at__lt=limit).update(
            state=FiringState.SKIPPED, reason=FiringReason.LATE, settled_at=now
        )
        return _leave_out(campaign, limit, now)
    return 0


def cancel_firings(campaign: Campaign, now: datetime) -> int:
    """Answer no event that waits still."""
    return campaign.firings.waiting().update(
        state=FiringState.SKIPPED, reason=FiringReason.CANCELLED, settled_at=now
    )


def _latest_run(campaign: Campaign) -> datetime | None:
    runs = campaign.runs.exclude(status=RunStatus.SKIPPED).order_by("-occurrence_at")
    return runs.values_list("occurrence_at", flat=True).first()


def _leave_out(campaign: Campaign, planned_before: datetime, now: datetime) -> int:
    waiting = Delivery.objects.filter(
        run__in=campaign.runs.unfinished(), state=DeliveryState.PENDING
    ).annotate(planned=Coalesce("planned_at", "run__occurrence_at"))
    return Delivery.objects.filter(
        pk__in=waiting.filter(planned__lt=planned_before).values("pk")
    ).update(state=DeliveryState.SUPPRESSED, reason=DeliveryReason.EXPIRED, settled_at=now)
