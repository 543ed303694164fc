"""Sending what is due of one tenant: claim, call, record, and nothing held open in between.

A worker works for a short while and then makes room, so that a million messages of one tenant never
stand before a hundred of another; within a tenant the runs take turns batch by batch.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.channels import Sender, sender_for
from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import CampaignRun
from campaigns.services import outcomes
from campaigns.services.claims import Claim, Claimed, Step, claim, message_from, release
from campaigns.services.holds import held_until, hold_until
from campaigns.services.outcomes import Outcome, record
from campaigns.services.runs import finish_run, prepare_run
from campaigns.services.variants import decide_test
from crm_site.messaging.gateway import (
    BATCH_LIMIT,
    MessagingError,
    MessagingRefused,
    MessagingThrottled,
    MessagingUncertain,
    Status,
)
from crm_site.tenancy.models import Installation, Tenant

# Messages that failed together twice are tried again in smaller company, so that one that breaks a
# request ends up alone and the others go out; once is mostly the network. By failures, not by
# attempts: five hundred whose worker was killed did nothing wrong, and one by one they would take
# minutes.
CALL_SIZES = {0: BATCH_LIMIT, 1: BATCH_LIMIT, 2: 50, 3: 10}
FAILURES_BEFORE_REST = 3  # Calls in a row without an answer before this worker makes room.
KEY_REFUSED_HOLD = timedelta(minutes=1)
WRONG_KEY = {401, 403}


class Call(NamedTuple):
    """Messages that go out in one request, or one message to ask about."""

    step: Step
    sender: Sender
    items: list[Claimed]


@dataclass
class Pass:
    """One worker's turn for one tenant: until ``deadline`` (monotonic seconds)."""

    tenant_id: str
    deadline: float
    failures: int = 0

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.deadline or self.failures >= FAILURES_BEFORE_REST


def send_due(tenant_id: str, *, seconds: float) -> bool:
    """Send what is due of the tenant in scope for at most about ``seconds``.

    Returns whether more is due already, so that the caller asks for another turn.
    """
    turn = Pass(tenant_id, time.monotonic() + seconds)
    while not turn.is_over:
        with transaction.atomic():
            runs = open_runs()
        worked = False
        for run in runs:
            if turn.is_over:
                break
            worked = _work_on(run, turn) or worked
        if not worked:
            return False
    return turn.failures < FAILURES_BEFORE_REST


def open_runs() -> list[CampaignRun]:
    """Runs of the tenant in scope that may have something due; a paused campaign's have not,
    nor has one that goes slowly before its next turn."""
    return list(
        CampaignRun.objects.unfinished()
        .filter(
            Q(campaign__status=CampaignStatus.ACTIVE) | Q(status=RunStatus.CANCELLED),
            Q(next_claim_at__isnull=True) | Q(next_claim_at__lte=timezone.now()),
        )
        .select_related("campaign")
        .order_by("occurrence_at", "pk")
    )


def may_send(tenant: Tenant, now: datetime) -> bool:
    """Whether anything of a tenant may leave: nobody pulled a switch, nor did Messaging ask us to
    wait. Asked with every claim."""
    is_on = tenant.is_active and tenant.is_sending_enabled
    return is_on and Installation.current().is_sending_enabled and not held_until(now)


def _work_on(run: CampaignRun, turn: Pass) -> bool:
    """One batch of one run. Returns whether there was anything to do."""
    if run.status == RunStatus.PENDING:
        return prepare_run(run.pk, timezone.now()) is not None
    if run.is_in_test and run.decide_at and run.decide_at <= timezone.now():
        return decide_test(run.pk, timezone.now())
    taken = _claim(run)
    if taken is None:
        return False  # Switched off or told to wait.
    if not taken.touched:
        finish_run(run.pk, timezone.now())
        return False
    # A call must be over before the lease is, or another worker would make it again.
    latest = time.monotonic() + settings.DELIVERY_LEASE_SECONDS - settings.MESSAGING_TIMEOUT_SECONDS
    for call in _calls(taken):
        if time.monotonic() > latest or turn.failures >= FAILURES_BEFORE_REST:
            with transaction.atomic():
                release(token=taken.token, items=call.items, now=timezone.now())
        elif call.step == Step.SEND:
            _send(call, run, taken.token, turn)
        else:
            _ask(call, run, taken.token, turn)
    return True


def _claim(run: CampaignRun) -> Claim | None:
    """A batch of ``run``; None while this tenant must not send."""
    with transaction.atomic():
        now = timezone.now()
        tenant = Tenant.objects.get(pk=run.tenant_id)
        if not may_send(tenant, now):
            return None
        return claim(run=run, tenant=tenant, now=now)


def _calls(taken: Claim) -> Iterator[Call]:
    """The requests a claim is sent in: per sender, and the smaller the more often it failed.

    The large ones come first, so that many never wait for the few that gave trouble.
    """
    groups: dict[tuple[Step, int, int], Call] = {}
    for item in taken.items:
        size = CALL_SIZES.get(item.failures, 1) if item.step == Step.SEND else 1
        sender = sender_for(item.channel)
        key = (item.step, id(sender), size)
        groups.setdefault(key, Call(item.step, sender, [])).items.append(item)
    for (_, _, size), call in sorted(groups.items(), key=lambda group: -group[0][2]):
        for start in range(0, len(call.items), size):
            yield call._replace(items=call.items[start : start + size])


def _send(call: Call, run: CampaignRun, token: UUID, turn: Pass) -> None:
    with transaction.atomic():
        if held_until(timezone.now()):  # Another worker was told to wait meanwhile.
            release(token=token, items=call.items, now=timezone.now())
            return
    messages = [message_from(item) for item in call.items]
    try:
        results = call.sender.send_batch(turn.tenant_id, messages)
    except MessagingError as error:
        turn.failures += 1
        _record_failure(call, error, run, token)
        return
    turn.failures = 0
    now = timezone.now()
    found = []
    for item, result in zip(call.items, results, strict=True):
        if result.status == Status.CONFLICT:
            found.append(_outcome_by_key(call.sender, turn.tenant_id, item))
        else:
            found.append(outcomes.outcome_of(item, result, now))
    with transaction.atomic():
        record(token=token, campaign_id=run.campaign_id, outcomes=found, now=timezone.now())


def _record_failure(call: Call, error: MessagingError, run: CampaignRun, token: UUID) -> None:
    """Nobody of this call is lost; how sure we are that nobody was sent to differs."""
    now = timezone.now()
    with transaction.atomic():
        found = _outcomes_of_failure(call.items, error, now)
        record(token=token, campaign_id=run.campaign_id, outcomes=found, now=now)


def _outcomes_of_failure(
    items: list[Claimed], error: MessagingError, now: datetime
) -> list[Outcome]:
    words = str(error)
    if isinstance(error, MessagingThrottled):
        until = now + timedelta(seconds=error.retry_after_seconds)
        hold_until(until, reason=words, now=now)
        return [outcomes.not_asked(item, words, until) for item in items]
    if isinstance(error, MessagingRefused):
        if error.status_code in WRONG_KEY:
            # It is not about these messages; somebody must mend the key.
            hold_until(now + KEY_REFUSED_HOLD, reason=words, now=now)
            return [outcomes.not_asked(item, words, now + KEY_REFUSED_HOLD) for item in items]
        if len(items) == 1:
            return [outcomes.refused(items[0], words)]
        # One of them is at fault: try again in smaller company, at once.
        return [outcomes.not_asked(item, words, now, is_attempt=True) for item in items]
    wait = error.retry_after_seconds if isinstance(error, MessagingUncertain) else None
    not_before = now + timedelta(seconds=wait) if wait else None
    if not_before:
        hold_until(not_before, reason=words, now=now)
    return [outcomes.uncertain(item, words, now, not_before=not_before) for item in items]


def _ask(call: Call, run: CampaignRun, token: UUID, turn: Pass) -> None:
    """Learn what became of a message that must not be asked for again."""
    (item,) = call.items
    outcome = _outcome_by_key(call.sender, turn.tenant_id, item)
    with transaction.atomic():
        record(token=token, campaign_id=run.campaign_id, outcomes=[outcome], now=timezone.now())


def _outcome_by_key(sender: Sender, tenant_id: str, item: Claimed) -> Outcome:
    try:
        result = sender.find_by_key(tenant_id, item.key)
    except MessagingError as error:
        return outcomes.uncertain(item, str(error), timezone.now())
    now = timezone.now()
    if result is None:
        return outcomes.never_accepted(item, now)
    return outcomes.outcome_of(item, result, now)
