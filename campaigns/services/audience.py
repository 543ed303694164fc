"""Whom a campaign reaches: counted before it starts, written down when it does.

One expression decides why somebody is not written to. The count on the review page, the snapshot
and the last look before a message leaves all use it, so they cannot disagree.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from campaigns.choices import DeliveryReason
from campaigns.models import Campaign, CampaignRun
from campaigns.services.crowd import Crowd
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant
from customers.choices import CustomerStatus
from customers.models.profile import CONSENT_FLAGS

# Where a channel finds somebody: columns of the profile.
ADDRESSES = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone_number",
    Channel.WHATSAPP: "phone_number",
    Channel.PUSH: "auth_user_id",
    Channel.IN_APP: "auth_user_id",
}
# A snapshot of a million takes longer than a web request may.
SNAPSHOT_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class ChannelReach:
    """Of the people in a segment: how many a channel reaches, and why not the others."""

    channel: str
    reachable: int
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reach:
    """``in_segment`` people, of whom ``people`` are reached over at least one channel."""

    in_segment: int
    people: int
    channels: list[ChannelReach] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many messages would be sent now."""
        return sum(each.reachable for each in self.channels)


def why_not(channel: str, profile: str = "p", heard: str | None = None, cap: int = 0) -> str:
    """SQL that gives a DeliveryReason, or NULL for somebody who may be written to.

    ``profile`` is the alias of the customer's row. ``heard`` is an expression for how many messages
    they had lately over the channel, where the tenant caps that at ``cap``.
    """
    flag, address = CONSENT_FLAGS.get(Channel(channel)), ADDRESSES.get(Channel(channel))
    cases = [
        (f"{profile}.merged_at IS NOT NULL", DeliveryReason.MERGED),
        # Deleted, erased, or set aside by staff.
        (
            f"{profile}.deleted_at IS NOT NULL OR {profile}.status <> '{CustomerStatus.ACTIVE}'",
            DeliveryReason.INACTIVE,
        ),
        # A channel without a consent flag has nobody's consent.
        (f"NOT {profile}.{flag}" if flag else "true", DeliveryReason.NO_CONSENT),
        (f"{profile}.{address} IS NULL" if address else "true", DeliveryReason.NO_ADDRESS),
    ]
    if heard:
        cases.append((f"{heard} >= {int(cap)}", DeliveryReason.CAPPED))
    return "CASE " + " ".join(f"WHEN {when} THEN '{why}'" for when, why in cases) + " END"


def why_not_by_channel(
    channel_column: str, channels: list[str], profile: str = "p", heard: str | None = None,
    cap: int = 0,
) -> str:  # fmt: skip
    """The same where each row names its own channel."""
    cases = " ".join(
        f"WHEN '{Channel(channel)}' THEN {why_not(channel, profile, heard, cap)}"
        for channel in channels
    )
    return f"CASE {channel_column} {cases} ELSE '{DeliveryReason.NO_CONSENT}' END"


def heard_lately(tenant: Tenant, customer: str, channel: str) -> str | None:
    """SQL for how many messages a customer had within the tenant's cap; None without a cap.

    It reads the index on the customer, so it suits the hundreds of a claim and not a million.
    """
    if not tenant.frequency_cap_count:
        return None
    return (
        "(SELECT count(*) FROM campaigns_delivery x "  # noqa: S608 - our own column names
        f"WHERE x.customer_id = {customer} AND x.channel = {channel} AND x.state = 'ACCEPTED' "
        f"AND x.settled_at > %(now)s - interval '{int(tenant.frequency_cap_days)} days')"
    )


def _heard_join(tenant: Tenant, channels: str) -> str:
    """A join that counts the same for everybody at once."""
    if not tenant.frequency_cap_count:
        return ""
    return (
        "LEFT JOIN ("  # noqa: S608 - our own column names
        "SELECT customer_id, channel, count(*) AS messages FROM campaigns_delivery "
        "WHERE tenant_id = %(tenant)s AND state = 'ACCEPTED' AND settled_at > %(now)s "
        f"- interval '{int(tenant.frequency_cap_days)} days' GROUP BY customer_id, channel) h "
        f"ON h.customer_id = p.id AND h.channel = {channels}"
    )


def count_reach(*, crowd: Crowd, channels: list[str], now: datetime) -> Reach:
    """How many a campaign over ``channels`` would reach, and why not the rest.

    One pass over the crowd; the reasons of a channel and its reachable add up to all of it.
    """
    tenant = Tenant.objects.get(pk=require_tenant_id())
    cap = tenant.frequency_cap_count or 0
    heard = "coalesce(h.messages, 0)" if cap else None
    verdict = why_not_by_channel("c.channel", channels, heard=heard, cap=cap)
    # Two levels: first each person and channel, then each person, so that people are counted once.
    statement = f"""
        WITH verdicts AS (
            SELECT m.customer_id, c.channel, {verdict} AS why
            FROM ({crowd.members()}) m
            JOIN customers_customerprofile p ON p.id = m.customer_id
            CROSS JOIN unnest(%(channels)s::text[]) AS c(channel)
            {_heard_join(tenant, "c.channel")}
        )
        SELECT channel, why, count(*), NULL::bigint FROM verdicts GROUP BY channel, why
        UNION ALL
        SELECT NULL, NULL, count(*), count(DISTINCT customer_id) FILTER (WHERE why IS NULL)
        FROM verdicts
        """  # noqa: S608 - built of our own column names and numbers
    values: dict[str, Any] = {
        **crowd.values(),
        "tenant": tenant.pk,
        "channels": channels,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    counts: dict[str, dict[str | None, int]] = {channel: {} for channel in channels}
    people = verdicts = 0
    for channel, why, count, distinct in rows:
        if channel is None:
            verdicts, people = count, distinct
        else:
            counts[channel][why] = count
    return Reach(
        in_segment=verdicts // len(channels) if channels else crowd.count(),
        people=people,
        channels=[
            ChannelReach(
                channel,
                found.get(None, 0),
                {why: count for why, count in sorted(found.items(), key=str) if why is not None},
            )
            for channel, found in counts.items()
        ],
    )


def take_snapshot(*, run: CampaignRun, campaign: Campaign, now: datetime) -> int:
    """Write down everybody the campaign is for, once for each channel, in one statement.

    Who may not be written to is written down too, as SUPPRESSED with the reason. Returns the number
    of people. Keys follow from run, customer and channel; a repeat adds nothing.
    """
    tenant = Tenant.objects.get(pk=require_tenant_id())
    cap = tenant.frequency_cap_count or 0
    heard = "coalesce(h.messages, 0)" if cap else None
    channels, crowd = list(campaign.channels), Crowd.of(campaign)
    verdict = why_not_by_channel("c.channel", channels, heard=heard, cap=cap)
    statement = f"""
        INSERT INTO campaigns_delivery (
            id, tenant_id, campaign_id, run_id, customer_id, channel, template_id,
            idempotency_key, state, reason, due_at, settled_at, attempts, created_at, updated_at
        )
        SELECT fairway_uuid7(), %(tenant)s, %(campaign)s, %(run)s, v.customer_id, v.channel,
            v.template_id, 'run:' || %(run)s || ':' || v.customer_id || ':' || v.channel,
            CASE WHEN v.why IS NULL THEN 'PENDING' ELSE 'SUPPRESSED' END, v.why, %(now)s,
            CASE WHEN v.why IS NOT NULL THEN %(now)s::timestamptz END, 0, %(now)s, %(now)s
        FROM (
            SELECT m.customer_id, c.channel, c.template_id, {verdict} AS why
            FROM ({crowd.members()}) m
            JOIN customers_customerprofile p ON p.id = m.customer_id
            CROSS JOIN unnest(%(channels)s::text[], %(templates)s::text[])
                AS c(channel, template_id)
            {_heard_join(tenant, "c.channel")}
        ) v
        ON CONFLICT DO NOTHING
        """  # noqa: S608 - built of our own column names and numbers
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "campaign": campaign.pk,
        "run": str(run.pk),
        **crowd.values(),
        "channels": channels,
        "templates": [campaign.template_for(channel) for channel in channels],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute(f"SET LOCAL statement_timeout = '{SNAPSHOT_TIMEOUT_SECONDS}s'")
        cursor.execute(statement, values)
        written = cursor.rowcount
        cursor.execute(f"SET LOCAL statement_timeout = '{usual}'")
    return written // len(channels)
