"""The moves a campaign may make, and what may be changed while it stands where it stands."""

from enum import StrEnum

from campaigns.choices import CampaignStatus
from crm_site.errors import DomainError


class Move(StrEnum):
    """What somebody does to a campaign; also the word in the audit log."""

    SCHEDULE = "SCHEDULE"
    UNSCHEDULE = "UNSCHEDULE"
    START = "START"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    CANCEL = "CANCEL"
    MISS = "MISS"  # By the clock: its time passed unseen and it waits for a person.
    STOP = "STOP"  # By itself: what it asks can no longer be answered.
    COMPLETE = "COMPLETE"  # By the dispatcher: nothing is left to settle.


_DRAFT, _SCHEDULED = CampaignStatus.DRAFT, CampaignStatus.SCHEDULED
_ACTIVE, _PAUSED = CampaignStatus.ACTIVE, CampaignStatus.PAUSED
_COMPLETED, _CANCELLED = CampaignStatus.COMPLETED, CampaignStatus.CANCELLED

# Every allowed move. People with ``campaigns.launch_campaign`` make them, MISS, STOP and COMPLETE
# aside.
MOVES: dict[Move, dict[CampaignStatus, CampaignStatus]] = {
    # Scheduling again gives another time.
    Move.SCHEDULE: {_DRAFT: _SCHEDULED, _SCHEDULED: _SCHEDULED},
    Move.UNSCHEDULE: {_SCHEDULED: _DRAFT},
    Move.START: {_DRAFT: _ACTIVE, _SCHEDULED: _ACTIVE},
    # What is claimed goes out, nothing further is. Runs that fall due and events wait.
    Move.PAUSE: {_ACTIVE: _PAUSED},
    Move.STOP: {_ACTIVE: _PAUSED},
    # What is too old by now is left out, with the reason.
    Move.RESUME: {_PAUSED: _ACTIVE},
    # What is under way when a campaign is cancelled is settled, never sent anew.
    Move.CANCEL: {_DRAFT: _CANCELLED, _SCHEDULED: _CANCELLED, _ACTIVE: _CANCELLED,
                  _PAUSED: _CANCELLED},
    Move.MISS: {_SCHEDULED: _DRAFT},
    Move.COMPLETE: {_ACTIVE: _COMPLETED},
}  # fmt: skip

# Its words for people, and what is counted as its success, may always be changed; whom it reaches,
# with what and when, only in a draft.
SAFE_FIELDS = frozenset(
    {"name", "description", "goal_activity_type", "goal_days", "goal_has_revenue"}
)
# Of one under way that goes on by itself: these take nothing back from anybody.
SAFE_UNDER_WAY = frozenset({"recur_end_at", "late_limit_minutes", "trigger_once_days"})
_UNDER_WAY = frozenset({_ACTIVE, _PAUSED})
# Why the rest is closed, by field.
_SEGMENTS = "Those written down for it would no longer be those it was approved for."
_WORDS = "Some have had the old words by now."
_WHY_CLOSED = {
    "segment": _SEGMENTS,
    "include_segments": _SEGMENTS,
    "exclude_segments": _SEGMENTS,
    "channels": "Some would hear over one channel and some over another.",
    "email_template_id": _WORDS,
    "sms_template_id": _WORDS,
    "push_template_id": _WORDS,
    "recur_pattern": "Runs are planned by it.",
    "scheduled_at": "It has begun.",
    "timezone": "Runs are planned by its clock.",
    "trigger_event_type": "Events wait for it.",
    "trigger_conditions": "Events wait to be asked.",
    "trigger_delay_minutes": "Events wait for their time.",
}


class CampaignStateError(DomainError):
    """The campaign is not where this could be done to it."""

    code = "campaign_state"


def next_status(status: str, move: Move) -> CampaignStatus:
    """Where ``move`` leads from ``status``. Raises CampaignStateError where it does not exist."""
    here = CampaignStatus(status)
    there = MOVES[move].get(here)
    if there is None:
        starts = " or ".join(each.label.lower() for each in MOVES[move])
        raise CampaignStateError(
            f"{move.value.capitalize()} works on a campaign that is {starts}; "
            f"this one is {here.label.lower()}.",
            path="status",
        )
    return there


def allowed_moves(status: str) -> frozenset[Move]:
    """What may be done to a campaign in ``status``."""
    here = CampaignStatus(status)
    return frozenset(move for move, steps in MOVES.items() if here in steps)


def is_editable(status: str, field: str) -> bool:
    """Whether ``field`` (its name on the model) may be changed in ``status``."""
    if field in SAFE_FIELDS or status == CampaignStatus.DRAFT:
        return True
    return field in SAFE_UNDER_WAY and status in _UNDER_WAY


def refuse_unsafe_edit(status: str, changed: set[str]) -> None:
    """Raises CampaignStateError naming the first field of ``changed`` that is closed, and why."""
    for field in sorted(changed):
        if not is_editable(status, field):
            raise CampaignStateError(_why_closed(CampaignStatus(status), field), path=field)


def _why_closed(here: CampaignStatus, field: str) -> str:
    said = f"This campaign is {here.label.lower()}: "
    if here == _SCHEDULED:
        return f"{said}only its name, description and goal may change. Take it back to draft first."
    if here not in _UNDER_WAY:
        return f"{said}only its name, description and goal may still change. Clone it to go on."
    why = _WHY_CLOSED.get(field, "It would not mean the same for everybody.")
    return f"{said}this cannot be changed. {why} Clone it to say something else."
