"""What people do to a campaign: schedule, start, pause, resume, cancel, clone, change.

Each holds the campaign's row first, so that a button pressed twenty times acts once.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from campaigns.choices import CampaignStatus, CampaignType, RunStatus, SegmentRole
from campaigns.models import Campaign, CampaignRun
from campaigns.models.campaign import COUNTERS
from campaigns.services.approvals import undo_approvals
from campaigns.services.crowd import check_segments, segments_of, set_segments
from campaigns.services.due_times import opens_at
from campaigns.services.overtaken import cancel_firings, expire_overtaken
from campaigns.services.preflight import refuse_blocked
from campaigns.services.runs import cancel_run_deliveries, open_run
from campaigns.services.variants import are_others, set_variants
from campaigns.signals import campaign_launched
from campaigns.state import CampaignStateError, Move, next_status, refuse_unsafe_edit
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError

_NOT_CLONED = frozenset(
    {*COUNTERS, "id", "status", "scheduled_at", "started_at", "completed_at", "recur_end_at",
     "created_at", "updated_at", "created_by", "deleted_at", "tenant", "name", "is_system",
     "stopped_reason"}
)  # fmt: skip


# Beside the model's own fields: its further segments, as lists.
SEGMENT_LISTS = {
    "include_segments": SegmentRole.INCLUDE,
    "exclude_segments": SegmentRole.EXCLUDE,
}
# What belongs to a campaign and is kept in rows of its own.
ROWS_BESIDE = frozenset({*SEGMENT_LISTS, "variants"})


class CampaignError(DomainError):
    """This cannot be done to this campaign."""


@transaction.atomic
def schedule_campaign(
    *, campaign_id: UUID, actor: Actor, scheduled_at: datetime | None = None
) -> Campaign:
    """Let a campaign start by itself at ``scheduled_at``, or at the time it already carries.

    A repeating one without any begins at once, and runs when its pattern says. Raises
    CampaignError for a time that is missing or past, and what ``refuse_blocked`` raises.
    """
    now = timezone.now()
    campaign = _locked(campaign_id)
    status = next_status(campaign.status, Move.SCHEDULE)
    campaign.scheduled_at = scheduled_at or campaign.scheduled_at
    if campaign.scheduled_at is None and campaign.type != CampaignType.RECURRING:
        raise CampaignError("Choose when it goes out.", path="scheduled_at")
    if campaign.scheduled_at is not None and campaign.scheduled_at <= now:
        raise CampaignError("That time is past; choose a later one.", path="scheduled_at")
    refuse_blocked(campaign, now=now)
    campaign.status = status
    campaign.save(update_fields=["status", "scheduled_at", "updated_at"])
    _record(Move.SCHEDULE, campaign, actor)
    return campaign


@transaction.atomic
def unschedule_campaign(*, campaign_id: UUID, actor: Actor) -> Campaign:
    """Take a scheduled campaign back to draft, where everything may be changed again."""
    campaign = _locked(campaign_id)
    campaign.status = next_status(campaign.status, Move.UNSCHEDULE)
    campaign.save(update_fields=["status", "updated_at"])
    _record(Move.UNSCHEDULE, campaign, actor)
    return campaign


@transaction.atomic
def start_campaign(*, campaign_id: UUID, actor: Actor) -> Campaign:
    """Start now: one run, whose recipients are written down and sent to by the workers.

    A repeating campaign becomes active and runs when its pattern says, a triggered one answers
    events from now on. Raises CampaignStateError unless it is a draft or scheduled, and what
    ``refuse_blocked`` raises.
    """
    now = timezone.now()
    campaign = _locked(campaign_id)
    campaign.status = next_status(campaign.status, Move.START)
    refuse_blocked(campaign, now=now, is_starting=True)
    if campaign.type != CampaignType.ONE_TIME and (campaign.scheduled_at or now) <= now:
        campaign.scheduled_at = None  # It begins now, and owes no run from before.
    _launch(campaign, now, actor, now)
    return campaign


@transaction.atomic
def start_due_campaign(*, campaign_id: UUID, now: datetime, actor: Actor) -> CampaignRun | None:
    """Start a scheduled campaign whose time has come; None if that was done or undone meanwhile.

    One that is later than its limit gets a MISSED run and goes back to draft, and so does one that
    can no longer be sent (its run is FAILED and says why): a person decides. A repeating or
    triggered one has missed nothing by beginning late.
    """
    campaign = (
        Campaign.objects.due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .filter(pk=campaign_id)
        .first()
    )
    if campaign is None:
        return None
    due_at = campaign.scheduled_at or now
    if opens_at(campaign, due_at) > now:
        return None
    if campaign.type == CampaignType.ONE_TIME and now - due_at > campaign.late_limit:
        minutes = int(campaign.late_limit.total_seconds() // 60)
        why = f"It was not started within {minutes} minutes of its time, so nobody was written to."
        return _stand_down(campaign, due_at, RunStatus.MISSED, why, actor)
    try:
        refuse_blocked(campaign, now=now, is_starting=True)
    except DomainError as error:
        return _stand_down(campaign, due_at, RunStatus.FAILED, error.message, actor)
    campaign.status = next_status(campaign.status, Move.START)
    return _launch(campaign, due_at, actor, now)


@transaction.atomic
def pause_campaign(*, campaign_id: UUID, actor: Actor) -> Campaign:
    """Claim nothing more of it. What workers already hold still goes out."""
    campaign = _locked(campaign_id)
    campaign.status = next_status(campaign.status, Move.PAUSE)
    campaign.save(update_fields=["status", "updated_at"])
    _record(Move.PAUSE, campaign, actor)
    return campaign


@transaction.atomic
def resume_campaign(*, campaign_id: UUID, actor: Actor) -> Campaign:
    """Go on where it stopped; nobody hears twice, since every message keeps its key.

    What the pause has made too old is left out, with the reason, and nobody is flooded.
    """
    now = timezone.now()
    campaign = _locked(campaign_id)
    campaign.status = next_status(campaign.status, Move.RESUME)
    campaign.stopped_reason = None
    campaign.save(update_fields=["status", "stopped_reason", "updated_at"])
    expired = expire_overtaken(campaign, now)
    _record(Move.RESUME, campaign, actor, expired=expired)
    return campaign


@transaction.atomic
def cancel_campaign(*, campaign_id: UUID, actor: Actor) -> Campaign:
    """End it for good. What is not asked for yet is cancelled; what is under way is settled."""
    now = timezone.now()
    campaign = _locked(campaign_id)
    _refuse_system(campaign)
    campaign.status = next_status(campaign.status, Move.CANCEL)
    campaign.completed_at = now if campaign.started_at else None
    campaign.save(update_fields=["status", "completed_at", "updated_at"])
    cancelled = cancel_run_deliveries(campaign, now)
    cancel_firings(campaign, now)
    _record(Move.CANCEL, campaign, actor, cancelled=cancelled)
    return campaign


@transaction.atomic
def clone_campaign(*, campaign_id: UUID, actor: Actor) -> Campaign:
    """A draft that says the same to the same people, without dates: a clone never sends itself."""
    campaign = _locked(campaign_id)
    values = {
        each.attname: getattr(campaign, each.attname)
        for each in Campaign._meta.concrete_fields
        if each.name not in _NOT_CLONED
    }
    longest = Campaign._meta.get_field("name").max_length or 200
    clone = Campaign.objects.create(
        **values, name=f"Copy of {campaign.name}"[:longest], created_by=actor.id
    )
    for role in SegmentRole:
        set_segments(clone, role=role, segments=segments_of(campaign, role))
    set_variants(clone, campaign.variants.values())
    audit.record("CLONE", clone, actor=actor, metadata={"from": str(campaign.pk)})
    return clone


@transaction.atomic
def create_campaign(*, values: dict[str, Any], actor: Actor) -> Campaign:
    """A draft with these fields, by name.

    ``include_segments`` and ``exclude_segments`` among them, and ``variants``: dicts of their
    fields, in order. Raises CrowdError for a segment that is asked for and left out at once.
    """
    own = {name: value for name, value in values.items() if name not in ROWS_BESIDE}
    campaign = Campaign.objects.create(**own, created_by=actor.id)
    _set_segment_lists(campaign, values)
    set_variants(campaign, values.get("variants", []))
    return campaign


@transaction.atomic
def change_campaign(*, campaign_id: UUID, values: dict[str, Any]) -> Campaign:
    """Change fields by name, ``variants`` all at once.

    Raises CampaignStateError for what its status has closed.
    """
    campaign = _locked(campaign_id)
    own = {name: value for name, value in values.items() if name not in ROWS_BESIDE}
    changed = {name for name, value in own.items() if getattr(campaign, name) != value}
    beside = {name for name in SEGMENT_LISTS if _is_other_list(campaign, name, values)}
    if "variants" in values and are_others(campaign, values["variants"]):
        beside.add("variants")
    refuse_unsafe_edit(campaign.status, changed | beside)
    for name in changed:
        setattr(campaign, name, values[name])
    _refuse_end_before_start(campaign, changed)
    if changed:
        campaign.save(update_fields=[*changed, "updated_at"])
    _set_segment_lists(campaign, values)
    if "variants" in beside:
        set_variants(campaign, values["variants"])
    if beside or (changed and campaign.status == CampaignStatus.DRAFT):
        undo_approvals(campaign)
    return campaign


@transaction.atomic
def delete_campaign(*, campaign_id: UUID) -> None:
    """Hide a campaign; what it sent stays. One that may still send must be cancelled first."""
    campaign = _locked(campaign_id)
    _refuse_system(campaign)
    if campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE, CampaignStatus.PAUSED):
        raise CampaignStateError("Cancel it first; then it can be deleted.", path="status")
    campaign.deleted_at = timezone.now()
    campaign.save(update_fields=["deleted_at", "updated_at"])


def _locked(campaign_id: UUID) -> Campaign:
    campaign = Campaign.objects.live().select_for_update().filter(pk=campaign_id).first()
    if campaign is None:
        raise CampaignError("There is no such campaign.", code=NOT_FOUND)
    return campaign


def _is_other_list(campaign: Campaign, name: str, values: dict[str, Any]) -> bool:
    held = {segment.pk for segment in segments_of(campaign, SEGMENT_LISTS[name])}
    return name in values and {segment.pk for segment in values[name]} != held


def _set_segment_lists(campaign: Campaign, values: dict[str, Any]) -> None:
    wanted = {
        name: values[name] if name in values else segments_of(campaign, role)
        for name, role in SEGMENT_LISTS.items()
    }
    check_segments(campaign.segment, wanted["include_segments"], wanted["exclude_segments"])
    for name, role in SEGMENT_LISTS.items():
        if name in values:
            set_segments(campaign, role=role, segments=values[name])


def _refuse_end_before_start(campaign: Campaign, changed: set[str]) -> None:
    start, end = campaign.scheduled_at or campaign.started_at, campaign.recur_end_at
    if changed & {"scheduled_at", "recur_end_at"} and start and end and end <= start:
        raise CampaignError(
            "The end must come after the start.", path="recur_end_at", code="invalid"
        )


def _refuse_system(campaign: Campaign) -> None:
    if campaign.is_system:
        raise CampaignError("It comes with Fairway and stays. Pause it instead.", code="is_system")


def _launch(
    campaign: Campaign, occurrence_at: datetime, actor: Actor, now: datetime
) -> CampaignRun | None:
    campaign.started_at = campaign.started_at or now
    campaign.save(update_fields=["status", "scheduled_at", "started_at", "updated_at"])
    run = None
    if campaign.type == CampaignType.ONE_TIME:
        run = open_run(campaign=campaign, occurrence_at=occurrence_at, actor=actor)
    campaign_launched.send(sender=Campaign, campaign=campaign)
    _record(Move.START, campaign, actor)
    return run


def _stand_down(
    campaign: Campaign, due_at: datetime, status: str, why: str, actor: Actor
) -> CampaignRun:
    run = open_run(campaign=campaign, occurrence_at=due_at, actor=actor, status=status)
    CampaignRun.objects.filter(pk=run.pk).update(error=why)
    campaign.status = next_status(campaign.status, Move.MISS)
    campaign.save(update_fields=["status", "updated_at"])
    _record(Move.MISS, campaign, actor, error=why)
    return run


def _record(move: Move, campaign: Campaign, actor: Actor, **metadata: Any) -> None:
    audit.record(move.value, campaign, actor=actor, metadata=metadata or None)
