"""What people decide about single runs: to skip one, to send one late, or to let it be."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from campaigns.choices import CampaignStatus, CampaignType, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services.due_times import opens_at
from campaigns.services.preflight import refuse_blocked
from campaigns.services.recurrence import occurrences
from campaigns.services.runs import open_run
from campaigns.state import CampaignStateError, Move, next_status
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError

OVER = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)


class RunError(DomainError):
    """This cannot be done to this run."""


@transaction.atomic
def skip_run(*, campaign_id: UUID, occurrence_at: datetime, actor: Actor) -> CampaignRun:
    """Take one run to come out of a repeating campaign. Done twice, it is done once.

    Raises RunError for a moment that is no run of it, or has begun, and CampaignStateError for a
    campaign that is over.
    """
    now = timezone.now()
    campaign = _locked(campaign_id)
    _refuse_over(campaign)
    if not _is_occurrence(campaign, occurrence_at):
        raise RunError("It does not run then.", path="occurrence_at", code="invalid")
    if opens_at(campaign, occurrence_at) <= now:
        raise RunError("That run has begun already.", path="occurrence_at")
    run = open_run(
        campaign=campaign, occurrence_at=occurrence_at, actor=actor, status=RunStatus.SKIPPED
    )
    audit.record("SKIP", campaign, actor=actor, metadata={"run": occurrence_at.isoformat()})
    return run


@transaction.atomic
def unskip_run(*, campaign_id: UUID, occurrence_at: datetime, actor: Actor) -> None:
    """Let a skipped run go out after all. Raises RunError where none is, or its time is past."""
    campaign = _locked(campaign_id)
    _refuse_over(campaign)
    run = campaign.runs.filter(occurrence_at=occurrence_at, status=RunStatus.SKIPPED).first()
    if run is None:
        raise RunError("No run is skipped then.", path="occurrence_at", code="invalid")
    if opens_at(campaign, occurrence_at) <= timezone.now():
        raise RunError("Its time is past by now.", path="occurrence_at")
    run.delete()
    audit.record("UNSKIP", campaign, actor=actor, metadata={"run": occurrence_at.isoformat()})


@transaction.atomic
def send_missed_run(*, campaign_id: UUID, run_id: UUID, actor: Actor) -> CampaignRun:
    """Let a missed run go out now, late: its audience is taken now.

    Where the campaign went back to draft over it, the campaign starts. Raises RunError for a run
    that was not missed, CampaignStateError for a campaign that is paused or over, and what
    ``refuse_blocked`` raises.
    """
    now = timezone.now()
    campaign = _locked(campaign_id)
    run = _missed(campaign, run_id)
    refuse_blocked(campaign, now=now, is_starting=True)
    if campaign.status != CampaignStatus.ACTIVE:
        campaign.status = next_status(campaign.status, Move.START)
        campaign.started_at = campaign.started_at or now
        campaign.save(update_fields=["status", "started_at", "updated_at"])
    run.status, run.released_at = RunStatus.PENDING, now
    run.error = run.completed_at = None
    run.save(update_fields=["status", "released_at", "error", "completed_at", "updated_at"])
    audit.record("SEND_LATE", campaign, actor=actor, metadata={"runId": str(run.pk)})
    return run


@transaction.atomic
def drop_missed_run(*, campaign_id: UUID, run_id: UUID, actor: Actor) -> CampaignRun:
    """Decide that a missed run stays unsent. Raises RunError for a run that was not missed."""
    campaign = _locked(campaign_id)
    run = _missed(campaign, run_id)
    run.status, run.error = RunStatus.CANCELLED, "Missed, and dropped by a person."
    run.completed_at = timezone.now()
    run.save(update_fields=["status", "error", "completed_at", "updated_at"])
    audit.record("DROP", campaign, actor=actor, metadata={"runId": str(run.pk)})
    return run


def _locked(campaign_id: UUID) -> Campaign:
    campaign = Campaign.objects.live().select_for_update().filter(pk=campaign_id).first()
    if campaign is None:
        raise RunError("There is no such campaign.", code=NOT_FOUND)
    return campaign


def _refuse_over(campaign: Campaign) -> None:
    if campaign.type != CampaignType.RECURRING:
        raise RunError("Only runs of a repeating campaign can be skipped.", path="type")
    if campaign.status in OVER:
        here = campaign.get_status_display().lower()
        raise CampaignStateError(f"This campaign is {here}: it has no runs to come.", path="status")


def _is_occurrence(campaign: Campaign, moment: datetime) -> bool:
    return next(occurrences(campaign, after=moment - timedelta(seconds=1)), None) == moment


def _missed(campaign: Campaign, run_id: UUID) -> CampaignRun:
    run = campaign.runs.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise RunError("There is no such run.", path="run_id", code=NOT_FOUND)
    if run.status != RunStatus.MISSED:
        words = f"Only a missed run waits for a word; this one is {run.get_status_display()}."
        raise RunError(words, path="run_id")
    found: CampaignRun = run
    return found
