"""Writing down what became of messages, per person and only by whoever still holds them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from campaigns.choices import CampaignInteractionType, DeliveryReason, DeliveryState
from campaigns.services.claims import REPEAT_LIMIT, Claimed, repeat_horizon
from campaigns.services.statistics import add_to_counters
from crm_site.messaging.gateway import Reason, Result, Status

SLOWEST_RETRY_SECONDS = 300
REASONS = {
    Reason.NO_CONSENT: DeliveryReason.NO_CONSENT,
    Reason.INVALID_ADDRESS: DeliveryReason.NO_ADDRESS,
    Reason.SUPPRESSED: DeliveryReason.SUPPRESSED,
}


@dataclass(frozen=True)
class Outcome:
    """What became of one claimed message. ``retry_at`` is set where it is still open.

    ``was_requested`` False: nothing of this attempt was accepted, that is certain.
    ``is_attempt`` False: it does not count towards the limit.
    """

    item: Claimed
    state: DeliveryState
    reason: str | None = None
    error: str | None = None
    message_id: str | None = None
    retry_at: datetime | None = None
    was_requested: bool = True
    is_attempt: bool = True

    @property
    def is_failure(self) -> bool:
        """Whether the request was answered with an error, or not at all."""
        return self.is_attempt and self.retry_at is not None


def outcome_of(item: Claimed, result: Result, now: datetime) -> Outcome:
    """What Messaging said about one message. A conflict must be asked about first."""
    if result.status == Status.ACCEPTED:
        return Outcome(item, DeliveryState.ACCEPTED, message_id=result.message_id)
    if result.status == Status.IN_PROGRESS:
        return uncertain(item, "Messaging is still at work on it.", now)
    return refused(item, result.reason or str(result.status))


def refused(item: Claimed, words: str) -> Outcome:
    """Messaging will never send it; ``words`` are its own."""
    reason = REASONS.get(words, DeliveryReason.REJECTED)  # type: ignore[call-overload]
    return Outcome(item, DeliveryState.REJECTED, reason=reason, error=words)


def uncertain(
    item: Claimed, words: str, now: datetime, *, not_before: datetime | None = None
) -> Outcome:
    """It may have gone out. It is tried again later and later, with the same key and body."""
    retry_at = now + timedelta(seconds=min(5 * 2 ** (item.attempts - 1), SLOWEST_RETRY_SECONDS))
    if not_before and not_before > retry_at:
        retry_at = not_before
    return Outcome(item, DeliveryState.UNKNOWN, error=words, retry_at=retry_at)


def not_asked(
    item: Claimed, words: str, retry_at: datetime, *, is_attempt: bool = False
) -> Outcome:
    """Nothing of this attempt was accepted; it is as uncertain as it was before."""
    state = DeliveryState.PENDING if item.is_fresh else DeliveryState.UNKNOWN
    return Outcome(
        item, state, error=words, retry_at=retry_at, was_requested=False, is_attempt=is_attempt
    )


def never_accepted(item: Claimed, now: datetime) -> Outcome:
    """Messaging does not know the key. Whether that means it was never sent depends on its age."""
    horizon = timedelta(seconds=settings.MESSAGING_KEY_HORIZON_SECONDS)
    if item.first_requested_at is None or now - item.first_requested_at > horizon:
        return uncertain(item, "Messaging may have forgotten the key by now.", now)
    if item.why:
        return Outcome(item, DeliveryState.SUPPRESSED, reason=item.why)
    if now - item.first_requested_at > repeat_horizon():
        return Outcome(
            item, DeliveryState.SUPPRESSED, reason=DeliveryReason.EXPIRED,
            error="Messaging never accepted it, and it is too late to send it now.",
        )  # fmt: skip
    if item.attempts > REPEAT_LIMIT:
        return refused(item, f"Never accepted in {REPEAT_LIMIT} attempts.")
    return Outcome(item, DeliveryState.CANCELLED, reason=DeliveryReason.CANCELLED)


def record(*, token: UUID, campaign_id: UUID, outcomes: Iterable[Outcome], now: datetime) -> int:
    """Write the outcomes down and count them on the campaign. Returns how many were written.

    One that is no longer ours, because its lease ended and another worker took it or an event
    settled it, is left alone.
    """
    rows = list(outcomes)
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery d SET
                state = o.state, reason = o.reason, error = o.error,
                message_id = coalesce(o.message_id, d.message_id),
                due_at = coalesce(o.retry_at, d.due_at),
                attempts = d.attempts - (NOT o.is_attempt)::int,
                failures = d.failures + o.is_failure::int,
                first_requested_at = CASE WHEN o.forget THEN NULL ELSE d.first_requested_at END,
                settled_at = CASE WHEN o.retry_at IS NULL THEN %(now)s::timestamptz END,
                claim_token = NULL, leased_until = NULL, updated_at = %(now)s
            FROM unnest(
                %(ids)s::uuid[], %(states)s::text[], %(reasons)s::text[], %(errors)s::text[],
                %(message_ids)s::text[], %(retries)s::timestamptz[], %(attempts)s::boolean[],
                %(failures)s::boolean[], %(forget)s::boolean[]
            ) AS o(id, state, reason, error, message_id, retry_at, is_attempt, is_failure, forget)
            WHERE d.id = o.id AND d.claim_token = %(token)s
            RETURNING d.state
            """,
            {
                "ids": [row.item.id for row in rows],
                "states": [row.state.value for row in rows],
                "reasons": [row.reason for row in rows],
                "errors": [row.error for row in rows],
                "message_ids": [row.message_id for row in rows],
                "retries": [row.retry_at for row in rows],
                "attempts": [row.is_attempt for row in rows],
                "failures": [row.is_failure for row in rows],
                "forget": [not row.was_requested and row.item.is_fresh for row in rows],
                "token": token,
                "now": now,
            },
        )
        written = Counter(state for (state,) in cursor.fetchall())
    sent = written[DeliveryState.ACCEPTED]
    if sent:
        add_to_counters(campaign_id, {CampaignInteractionType.SENT: sent})
    return written.total()
