"""Taking messages to send: whose turn it is, checked once more, leased to one worker.

One statement picks, judges and leases up to a batch. Everything that can change after the snapshot
is looked at again here: consent, address, merges, caps, quiet hours, age. The body is written down
with the first claim and never changes, because a key must always carry the same body.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from campaigns.choices import CampaignStatus, DeliveryReason, QuietHoursPolicy, RunStatus
from campaigns.models import CampaignRun
from campaigns.services.limits import Limits, limits_of
from campaigns.services.pace import Pace
from campaigns.services.quiet_hours import quiet_until, quiet_zones
from campaigns.services.reasons import heard_one_by_one, why_not_by_channel
from campaigns.services.variables import VARIABLES_SQL
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import BATCH_LIMIT, Message, Recipient
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant

REPEAT_LIMIT = 8  # Attempts to send; after that we only ask what became of the key.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_MOMENT = timedelta(microseconds=1)
ATTEMPT_LIMIT = 16  # After that it stays UNKNOWN until an event or a person settles it.


class Step(StrEnum):
    """What the claim decided for one message."""

    SEND = "SEND"
    ASK = "ASK"  # It may have gone out, and must not be asked for again.
    WAIT = "WAIT"
    SUPPRESS = "SUPPRESS"


@dataclass(frozen=True)
class Claimed:
    """One message in this worker's hands until its lease ends.

    ``is_fresh``: no request with its key was ever made before this claim. ``why`` is the reason it
    may not be sent any more, where only asking is left.
    """

    id: UUID
    step: Step
    key: str
    channel: str
    request: dict[str, Any]
    attempts: int
    failures: int
    is_fresh: bool
    first_requested_at: datetime | None
    why: str | None


@dataclass(frozen=True)
class Claim:
    """What one statement took of one run. ``touched`` counts the suppressed and waiting too."""

    token: UUID
    items: list[Claimed]
    touched: int


def repeat_horizon() -> timedelta:
    """How long after its first request a key may be repeated: half of what Messaging promises."""
    return timedelta(seconds=settings.MESSAGING_KEY_HORIZON_SECONDS / 2)


def claim(
    *, run: CampaignRun, tenant: Tenant, now: datetime, limit: int = BATCH_LIMIT
) -> Claim:  # fmt: skip
    """Take up to ``limit`` messages of ``run`` that are due, passing over what others hold.

    A cancelled run gives only what is under way, to ask about. A run of a paused campaign gives
    nothing, and one that goes slowly no more than its share of the hour.
    """
    token, lease = uuid4(), now + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
    is_cancelled = run.status == RunStatus.CANCELLED
    pace = None if is_cancelled else Pace.of(run)
    if pace and not pace.is_due(now):
        return Claim(token, [], touched=0)
    limits, zones = limits_of(tenant), quiet_zones(tenant, now)
    values: dict[str, Any] = {
        "tenant": require_tenant_id(),
        "run": run.pk,
        "now": now,
        "lease": lease,
        "token": token,
        "limit": min(limit, pace.batch) if pace else limit,
        # Nobody but the test groups before the winner is chosen, however late that is.
        "due_by": min(now, run.decide_at - _MOMENT) if run.is_in_test and run.decide_at else now,
        "campaign_status": CampaignStatus.CANCELLED if is_cancelled else CampaignStatus.ACTIVE,
        "states": ["CLAIMED", "UNKNOWN"] if is_cancelled else ["PENDING", "CLAIMED", "UNKNOWN"],
        "is_cancelled": is_cancelled,
        "zones": list(zones),
        "zone_ends": list(zones.values()),
        "tenant_quiet_until": quiet_until(tenant, tenant.time_zone, now),
        "attempt_limit": ATTEMPT_LIMIT,
        "repeat_limit": REPEAT_LIMIT,
        "repeat_after": now - repeat_horizon(),
        "stale_before": now - repeat_horizon(),
        "club_name": tenant.name,
    }
    with connection.cursor() as cursor:
        if limits.caps:
            # Two campaigns must not both find that somebody may hear once more.
            cursor.execute(ONE_AT_A_TIME, [f"claim:{tenant.pk}"])
        cursor.execute(_claim_statement(limits), values)
        rows = cursor.fetchall()
    items = [_claimed(row) for row in rows if row[1] in (Step.SEND, Step.ASK)]
    if pace:
        pace.spend(sum(item.step == Step.SEND for item in items), now)
    return Claim(token, items, touched=len(rows))


def _claimed(row: tuple[Any, ...]) -> Claimed:
    id_, step, key, channel, request, *rest = row
    # Django hands JSON of plain cursors over as text. Of somebody erased there is no body left.
    body = json.loads(request) if request else {}
    return Claimed(id_, Step(step), key, channel, body, *rest)


def release(*, token: UUID, items: Iterable[Claimed], now: datetime) -> None:
    """Give back what was claimed and not asked for, as if it had never been taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery SET
                state = CASE WHEN id = ANY(%(fresh)s) THEN 'PENDING' ELSE 'UNKNOWN' END,
                first_requested_at =
                    CASE WHEN id = ANY(%(fresh)s) THEN NULL ELSE first_requested_at END,
                attempts = attempts - 1, due_at = %(now)s, updated_at = %(now)s,
                claim_token = NULL, leased_until = NULL
            WHERE id = ANY(%(ids)s) AND claim_token = %(token)s
            """,
            {
                "ids": [item.id for item in items],
                "fresh": [item.id for item in items if item.is_fresh],
                "token": token,
                "now": now,
            },
        )


def message_from(item: Claimed) -> Message:
    """The message as it was first written down."""
    to = item.request["to"]
    return Message(
        idempotency_key=item.key,
        channel=Channel(item.channel),
        template_id=item.request["templateId"],
        to=Recipient(
            customer_id=to["customerId"],
            contact_id=to.get("contactId"),
            email=to.get("email"),
            phone_number=to.get("phoneNumber"),
            auth_user_id=to.get("authUserId"),
        ),
        variables=item.request["variables"],
        metadata=item.request["metadata"],
    )


_BODY = f"""
    jsonb_build_object(
        'templateId', d.template_id,
        'to', jsonb_strip_nulls(jsonb_build_object(
            'customerId', d.customer_id, 'contactId', p.messaging_contact_id,
            'email', CASE WHEN d.channel = 'EMAIL' THEN p.email END,
            'phoneNumber', CASE WHEN d.channel IN ('SMS', 'WHATSAPP') THEN p.phone_number END,
            'authUserId', CASE WHEN d.channel IN ('PUSH', 'IN_APP') THEN p.auth_user_id END)),
        'variables', {VARIABLES_SQL},
        'metadata', jsonb_build_object(
            'campaignId', d.campaign_id, 'runId', d.run_id, 'deliveryId', d.id))
"""


def _claim_statement(limits: Limits) -> str:
    heard = heard_one_by_one("d.customer_id", "d.channel", besides="d.id")
    verdict = why_not_by_channel("d.channel", list(Channel.values), limits, heard)
    return f"""
        WITH picked AS MATERIALIZED (
            SELECT d.id FROM campaigns_delivery d
            JOIN campaigns_campaign c ON c.id = d.campaign_id AND c.status = %(campaign_status)s
            WHERE d.tenant_id = %(tenant)s AND d.run_id = %(run)s AND d.due_at <= %(due_by)s
              AND d.state IN ('PENDING', 'CLAIMED', 'UNKNOWN') AND d.state = ANY(%(states)s)
              AND d.attempts < %(attempt_limit)s
            ORDER BY d.due_at, d.id LIMIT %(limit)s
            FOR UPDATE OF d SKIP LOCKED
        ), seen AS (
            SELECT d.id, d.state, d.attempts, d.first_requested_at, {verdict} AS why,
                least(d.due_at, greatest(r.occurrence_at, r.decided_at, d.planned_at))
                    < %(stale_before)s AS is_stale,
                c.quiet_hours_policy = '{QuietHoursPolicy.SKIP}' AS skips_quiet,
                CASE WHEN z.zone IS NOT NULL THEN z.until ELSE %(tenant_quiet_until)s END AS quiet,
                {_BODY} AS body
            FROM picked
            JOIN campaigns_delivery d ON d.id = picked.id
            JOIN campaigns_campaignrun r ON r.id = d.run_id
            JOIN campaigns_campaign c ON c.id = d.campaign_id
            JOIN customers_customerprofile p ON p.id = d.customer_id
            LEFT JOIN tenancy_club club ON club.id = c.club_id
            LEFT JOIN unnest(%(zones)s::text[], %(zone_ends)s::timestamptz[])
                AS z(zone, until) ON z.zone = p.time_zone
        ), judged AS (
            SELECT seen.*, CASE
                WHEN state = 'PENDING' AND (
                    why IS NOT NULL OR is_stale OR quiet IS NOT NULL AND skips_quiet
                    ) THEN 'SUPPRESS'
                WHEN state <> 'PENDING' AND (
                    why IS NOT NULL OR %(is_cancelled)s OR attempts >= %(repeat_limit)s
                    OR first_requested_at < %(repeat_after)s) THEN 'ASK'
                WHEN quiet IS NOT NULL THEN 'WAIT'
                ELSE 'SEND' END AS step
            FROM seen
        )
        UPDATE campaigns_delivery d SET
            state = CASE judged.step
                WHEN 'SUPPRESS' THEN 'SUPPRESSED'
                WHEN 'WAIT' THEN CASE d.state WHEN 'PENDING' THEN 'PENDING' ELSE 'UNKNOWN' END
                ELSE 'CLAIMED' END,
            reason = CASE judged.step
                WHEN 'SUPPRESS' THEN coalesce(judged.why, CASE WHEN judged.is_stale
                    THEN '{DeliveryReason.EXPIRED}' ELSE '{DeliveryReason.QUIET_HOURS}' END)
                WHEN 'WAIT' THEN '{DeliveryReason.QUIET_HOURS}' END,
            settled_at = CASE WHEN judged.step = 'SUPPRESS' THEN %(now)s::timestamptz END,
            claim_token = CASE WHEN judged.step IN ('SEND', 'ASK') THEN %(token)s::uuid END,
            leased_until =
                CASE WHEN judged.step IN ('SEND', 'ASK') THEN %(lease)s::timestamptz END,
            due_at = CASE judged.step WHEN 'SUPPRESS' THEN d.due_at WHEN 'WAIT' THEN judged.quiet
                ELSE %(lease)s END,
            attempts = d.attempts + (judged.step IN ('SEND', 'ASK'))::int,
            first_requested_at = CASE judged.step
                WHEN 'SEND' THEN coalesce(d.first_requested_at, %(now)s)
                ELSE d.first_requested_at END,
            request = CASE judged.step
                WHEN 'SEND' THEN coalesce(d.request, judged.body) ELSE d.request END,
            updated_at = %(now)s
        FROM judged WHERE d.id = judged.id
        RETURNING d.id, judged.step, d.idempotency_key, d.channel, d.request, d.attempts,
            d.failures, judged.first_requested_at IS NULL, judged.first_requested_at, judged.why
        """  # noqa: S608 - built of our own column names and numbers
