"""Triggered campaigns: what happens to a customer, and a message that answers it.

An event that a campaign waits for becomes a row in the event's own transaction (``note_events``).
When the row is due its conditions are asked, and it becomes a delivery of the run of its day
(``fire_due``). Rules that cannot be answered stop their campaign and nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import DatabaseError, transaction
from django.db.models import F

from campaigns.choices import (
    CampaignStatus,
    CampaignType,
    FiringReason,
    FiringState,
    RunStatus,
)
from campaigns.models import Campaign, CampaignRun, TriggerFiring
from campaigns.services.audience import take_snapshot
from campaigns.services.crowd import among
from campaigns.services.due_times import DueTimes
from campaigns.services.runs import complete_campaign, open_run
from campaigns.state import Move, next_status
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.db.rows import insert_rows
from crm_site.db.timeouts import statement_timeout
from customers.models import Activity, CustomerProfile
from segments.rules.errors import RuleError
from segments.rules.events import find_event_field
from segments.rules.grammar import Group, parse
from segments.rules.references import check_segments
from segments.services.matching import matching_events, tenant_clock

FIRINGS_AT_ONCE = 1_000
ASKING_SECONDS = 5


def read_conditions(given: Any) -> Group | None:
    """Trigger conditions as a group; None where there are none. Raises RuleError."""
    if given is None:
        return None
    if not isinstance(given, dict) or not set(given) <= {"combinator", "rules"}:
        raise RuleError("", 'A group is needed: {"combinator": "AND", "rules": []}.')
    group = parse(given.get("rules"), given.get("combinator"), find=find_event_field)
    check_segments(group)
    return group


def note_events(activities: Sequence[Activity], *, now: datetime) -> int:
    """Write down which of these new activities active campaigns answer. Returns how many rows.

    Call it in the transaction that records them. A paused campaign's wait with it. An activity
    recorded later than the campaign's limit is no news and is not answered.
    """
    types = {activity.type for activity in activities}
    campaigns = list(
        Campaign.objects.live().filter(
            type=CampaignType.TRIGGERED,
            status__in=[CampaignStatus.ACTIVE, CampaignStatus.PAUSED],
            trigger_event_type__in=types,
            is_system=False,
        )
    )
    rows = [
        TriggerFiring(
            campaign=campaign,
            activity=activity,
            customer_id=activity.customer_id,
            due_at=activity.occurred_at + campaign.trigger_delay,
        )
        for campaign in campaigns
        for activity in activities
        if activity.type == campaign.trigger_event_type
        and _is_news(activity.occurred_at, campaign, now)
    ]
    insert_rows(rows)
    return len(rows)


def _is_news(at: datetime, campaign: Campaign, now: datetime) -> bool:
    begins, ends = campaign.scheduled_at or campaign.started_at, campaign.recur_end_at
    if (begins and at < begins) or (ends and at > ends):
        return False
    return now - at <= campaign.late_limit


def fire_due(*, now: datetime, actor: Actor) -> int:
    """Turn the due events of the tenant in scope into deliveries. Returns how many people."""
    triggered = Campaign.objects.live().filter(
        type=CampaignType.TRIGGERED, status=CampaignStatus.ACTIVE, is_system=False
    )
    due = triggered.filter(firings__state=FiringState.WAITING, firings__due_at__lte=now)
    with transaction.atomic():
        ids = set(due.order_by().values_list("pk", flat=True))
        ended = set(triggered.filter(recur_end_at__lte=now).values_list("pk", flat=True))
    fired = 0
    for campaign_id in ids:
        while (batch := _fire_batch(campaign_id, now, actor)) is not None:
            fired += batch
    for campaign_id in ended:
        _close(campaign_id, now)
    return fired


@transaction.atomic
def _fire_batch(campaign_id: UUID, now: datetime, actor: Actor) -> int | None:
    """The next due events of one campaign. None when none are left, or it is not our turn."""
    # The campaign's row first: it keeps two workers from writing to one person for two events, and
    # a pause from passing unseen.
    campaign = (
        Campaign.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=campaign_id, status=CampaignStatus.ACTIVE)
        .first()
    )
    if campaign is None:
        return None
    rows = list(campaign.firings.due(now).order_by("due_at", "pk")[:FIRINGS_AT_ONCE])
    if not rows:
        return None
    try:
        reasons = _judge(campaign, rows, now)
    except (RuleError, DatabaseError) as error:
        _stop(campaign, f"Its conditions cannot be asked: {error}", actor)
        return None
    _settle(rows, reasons, now)
    return _write_to(campaign, [row for row in rows if row.pk not in reasons], now, actor)


def _judge(
    campaign: Campaign, rows: Sequence[TriggerFiring], now: datetime
) -> dict[UUID, FiringReason]:
    """Why each of these is not answered; no entry for one that is."""
    reasons: dict[UUID, FiringReason] = {}

    def leave_out(those: Iterable[TriggerFiring], why: FiringReason) -> None:
        for row in those:
            reasons.setdefault(row.pk, why)

    people = {row.customer_id for row in rows}
    live = set(CustomerProfile.objects.live().filter(pk__in=people).values_list("pk", flat=True))
    leave_out((row for row in rows if now - row.due_at > campaign.late_limit), FiringReason.LATE)
    leave_out((row for row in rows if row.customer_id not in live), FiringReason.GONE)
    inside = among(campaign, people)
    outside = (row for row in rows if row.customer_id not in inside)
    leave_out(outside, FiringReason.NOT_IN_SEGMENT)
    group = read_conditions(campaign.trigger_conditions)
    if group is not None:
        with statement_timeout(ASKING_SECONDS):
            clock = tenant_clock(now)
            found = matching_events(group, clock, [row.activity_id for row in rows])
        unmatched = (row for row in rows if row.activity_id not in found)
        leave_out(unmatched, FiringReason.NOT_MATCHED)
    left = [row for row in rows if row.pk not in reasons]
    leave_out(_again_too_soon(campaign, left), FiringReason.RECENT)
    return reasons


def _again_too_soon(campaign: Campaign, rows: Sequence[TriggerFiring]) -> list[TriggerFiring]:
    """Those whose person was answered within the campaign's days, before or after."""
    within = timedelta(days=campaign.trigger_once_days)
    answered: dict[UUID, list[datetime]] = {}
    fired = campaign.firings.filter(
        state=FiringState.FIRED, customer__in={row.customer_id for row in rows}
    )
    if rows:
        first, last = rows[0].due_at - within, rows[-1].due_at + within
        fired = fired.filter(due_at__gt=first, due_at__lt=last)
    for customer_id, at in fired.values_list("customer_id", "due_at"):
        answered.setdefault(customer_id, []).append(at)
    too_soon = []
    for row in rows:
        times = answered.setdefault(row.customer_id, [])
        if any(abs(row.due_at - at) < within for at in times):
            too_soon.append(row)
        else:
            times.append(row.due_at)
    return too_soon


def _settle(
    rows: Sequence[TriggerFiring], reasons: dict[UUID, FiringReason], now: datetime
) -> None:
    for why in set(reasons.values()):
        ids = [row.pk for row in rows if reasons.get(row.pk) == why]
        TriggerFiring.objects.filter(pk__in=ids).update(
            state=FiringState.SKIPPED, reason=why, settled_at=now
        )


def _write_to(
    campaign: Campaign, rows: Sequence[TriggerFiring], now: datetime, actor: Actor
) -> int:
    """Deliveries for these people, each in the run of the day its event was due.

    The day of the event and not of today: a database put back to before this makes the same run
    again, with the same keys, and nobody hears twice.
    """
    by_day: dict[datetime, list[TriggerFiring]] = {}
    zone = ZoneInfo(campaign.timezone or "UTC")
    for row in rows:
        day = row.due_at.astimezone(zone).date()
        start = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
        by_day.setdefault(start, []).append(row)
    for start, those in by_day.items():
        run = _run_of_the_day(campaign, start, now, actor)
        people = [row.customer_id for row in those]
        take_snapshot(
            run=run,
            campaign=campaign,
            now=now,
            due=DueTimes(planned=now),
            customer_ids=people,
        )
        TriggerFiring.objects.filter(pk__in=[row.pk for row in those]).update(
            state=FiringState.FIRED, run=run, settled_at=now
        )
        CampaignRun.objects.filter(pk=run.pk).update(target_count=F("target_count") + len(people))
    Campaign.objects.filter(pk=campaign.pk).update(target_count=F("target_count") + len(rows))
    return len(rows)


def _run_of_the_day(
    campaign: Campaign, start: datetime, now: datetime, actor: Actor
) -> CampaignRun:
    """The day's run, open: it is finished whenever nobody waits, and goes on with the next."""
    run = open_run(campaign=campaign, occurrence_at=start, actor=actor, status=RunStatus.SENDING)
    CampaignRun.objects.filter(pk=run.pk).update(
        status=RunStatus.SENDING,
        snapshot_at=now,
        started_at=run.started_at or now,
        completed_at=None,
    )
    return run


def _stop(campaign: Campaign, why: str, actor: Actor) -> None:
    """Pause a campaign that cannot go on until somebody mends it; its events wait."""
    campaign.status = next_status(campaign.status, Move.STOP)
    campaign.stopped_reason = why
    campaign.save(update_fields=["status", "stopped_reason", "updated_at"])
    audit.record(Move.STOP, campaign, actor=actor, metadata={"error": why})


@transaction.atomic
def _close(campaign_id: UUID, now: datetime) -> None:
    campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign_id)
    complete_campaign(campaign, now)
