"""Opening and closing the runs of campaigns."""

from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F

from campaigns.choices import CampaignStatus, CampaignType, DeliveryState, RunStatus
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.services.audience import take_snapshot
from campaigns.services.claims import ATTEMPT_LIMIT
from campaigns.services.due_times import due_times
from campaigns.services.variants import plan_test
from campaigns.state import Move, next_status
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.tenancy.models import Tenant


def open_run(
    *, campaign: Campaign, occurrence_at: datetime, actor: Actor, status: str = RunStatus.PENDING
) -> CampaignRun:
    """The run of one occurrence, made once however often it is asked for.

    Its id follows from campaign and occurrence: a database put back to before the run makes the
    same run again, with the same keys, and Messaging sends nothing twice.
    """
    run, _ = CampaignRun.objects.get_or_create(
        campaign=campaign,
        occurrence_at=occurrence_at,
        defaults={
            "id": uuid5(campaign.pk, occurrence_at.isoformat()),
            "status": status,
            "created_by": actor.id,
        },
    )
    return run


@transaction.atomic
def prepare_run(run_id: UUID, now: datetime) -> CampaignRun | None:
    """Write down a due run's recipients. None when it is not waiting for that, or not our turn."""
    run = (
        CampaignRun.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("campaign")
        .filter(
            pk=run_id, status=RunStatus.PENDING, campaign__status=CampaignStatus.ACTIVE
        )
        .first()
    )  # fmt: skip
    if run is None:
        return None
    test, tenant = plan_test(run.campaign, now), Tenant.objects.get(pk=run.tenant_id)
    due = due_times(run=run, campaign=run.campaign, tenant=tenant, now=now)
    run.target_count = take_snapshot(run=run, campaign=run.campaign, now=now, due=due, test=test)
    run.status = RunStatus.SENDING
    run.snapshot_at = run.started_at = now
    run.decide_at = test.decide_at if test else None
    run.save(
        update_fields=["target_count", "status", "snapshot_at", "started_at", "decide_at",
                       "updated_at"]
    )  # fmt: skip
    Campaign.objects.filter(pk=run.campaign_id).update(
        target_count=F("target_count") + run.target_count
    )
    return run


@transaction.atomic
def finish_run(run_id: UUID, now: datetime) -> bool:
    """Close a run of which nothing is left to learn, and with it a campaign that has no more.

    What stayed UNKNOWN to the last attempt does not keep a run open: only an event or a person
    can settle it now.
    """
    run = CampaignRun.objects.filter(pk=run_id).first()
    if run is None:
        return False
    # The campaign first, as everybody who changes its status does.
    campaign = Campaign.objects.select_for_update().get(pk=run.campaign_id)
    run = CampaignRun.objects.unfinished().select_for_update().filter(pk=run_id).first()
    is_open = Delivery.objects.unsettled().filter(run_id=run_id, attempts__lt=ATTEMPT_LIMIT)
    if run is None or run.status == RunStatus.PENDING or run.is_in_test or is_open.exists():
        return False
    if run.status == RunStatus.SENDING:
        run.status = RunStatus.COMPLETED
    run.completed_at = now
    run.save(update_fields=["status", "completed_at", "updated_at"])
    complete_campaign(campaign, now)
    return True


def cancel_run_deliveries(campaign: Campaign, now: datetime) -> int:
    """Cancel what was not asked for yet. What is under way stays, to be settled."""
    runs = campaign.runs.unfinished()
    for run in runs:
        # Without recipients there is nothing to settle.
        ended = now if run.status == RunStatus.PENDING else None
        CampaignRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED, completed_at=ended)
    return Delivery.objects.filter(
        campaign=campaign, run__in=runs, state=DeliveryState.PENDING
    ).update(state=DeliveryState.CANCELLED, reason="CANCELLED", settled_at=now)


def complete_campaign(campaign: Campaign, now: datetime) -> None:
    """Complete a campaign that is over: sent once, or past its end, with nothing left to do."""
    ends_by_itself = campaign.type == CampaignType.ONE_TIME or (
        campaign.type in (CampaignType.RECURRING, CampaignType.TRIGGERED)
        and campaign.recur_end_at is not None
        and campaign.recur_end_at <= now
    )
    if not ends_by_itself or campaign.status != CampaignStatus.ACTIVE:
        return
    if campaign.runs.unfinished().exists() or campaign.firings.waiting().exists():
        return
    campaign.status = next_status(campaign.status, Move.COMPLETE)
    campaign.completed_at = now
    campaign.save(update_fields=["status", "completed_at", "updated_at"])
    audit.record(Move.COMPLETE, campaign, actor=Actor.current())
