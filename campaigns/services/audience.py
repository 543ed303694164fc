"""Whom a campaign reaches: counted before it starts, written down when it does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.choices import DeliveryReason, QuietHoursPolicy
from campaigns.models import Campaign, CampaignRun
from campaigns.services.crowd import Crowd
from campaigns.services.draws import bucket
from campaigns.services.due_times import AT_ONCE, DueTimes
from campaigns.services.limits import limits_of
from campaigns.services.overlap import Besides
from campaigns.services.quiet_hours import quiet_until, quiet_zones
from campaigns.services.reasons import (
    heard_by_everybody,
    held_out_when,
    quiet_when,
    why_not_by_channel,
)
from campaigns.services.variants import Test
from crm_site.db.timeouts import statement_timeout
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant

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
    """``in_segment`` people, of whom ``people`` are reached over at least one channel.

    ``twice`` of them hear something else around that time; None where that was not asked.
    """

    in_segment: int
    people: int
    channels: list[ChannelReach] = field(default_factory=list)
    twice: int | None = None

    @property
    def messages(self) -> int:
        """How many messages would be sent now."""
        return sum(each.reachable for each in self.channels)


@dataclass(frozen=True)
class _Verdicts:
    """SQL whose rows are ``customer_id, channel, why`` for every person and channel."""

    statement: str
    values: dict[str, Any]


def count_reach(
    *, crowd: Crowd, channels: list[str], now: datetime, campaign: Campaign | None = None,
    besides: Besides | None = None,
) -> Reach:  # fmt: skip
    """How many are reached over ``channels``, and why not the rest.

    One pass over the crowd; the reasons of a channel and its reachable add up to all of it.
    With a ``campaign`` its hold-out counts, and the quiet hours where it does not wait for them.
    """
    verdicts = _verdicts(crowd, channels, now, campaign)
    # Two levels: first each person and channel, then each person, so that people are counted once.
    statement = f"""
        WITH verdicts AS ({verdicts.statement})
        SELECT channel, why, count(*), NULL::bigint FROM verdicts GROUP BY channel, why
        UNION ALL
        SELECT NULL, NULL, count(*), count(DISTINCT customer_id) FILTER (WHERE why IS NULL)
        FROM verdicts
        {_twice(besides)}
        """  # noqa: S608 - built of our own column names and numbers
    with connection.cursor() as cursor:
        cursor.execute(statement, verdicts.values | (besides.values if besides else {}))
        rows = cursor.fetchall()
    counts: dict[str, dict[str | None, int]] = {channel: {} for channel in channels}
    people = found = 0
    twice = None
    for channel, why, count, distinct in rows:
        if why == "TWICE":
            twice = count
        elif channel is None:
            found, people = count, distinct
        else:
            counts[channel][why] = count
    return Reach(
        in_segment=found // len(channels) if channels else crowd.count(),
        people=people,
        twice=twice,
        channels=[
            ChannelReach(
                channel,
                by_reason.get(None, 0),
                {
                    why: count
                    for why, count in sorted(by_reason.items(), key=str)
                    if why is not None
                },
            )
            for channel, by_reason in counts.items()
        ],
    )


def _twice(besides: Besides | None) -> str:
    """A further row for who is reached and hears something else, too."""
    if besides is None:
        return ""
    return (
        "UNION ALL SELECT NULL, 'TWICE', count(DISTINCT v.customer_id), NULL FROM verdicts v "  # noqa: S608 - our own names
        f"JOIN ({besides.statement}) b ON b.customer_id = v.customer_id WHERE v.why IS NULL"
    )


def find_people(
    *,
    crowd: Crowd,
    channel: str,
    why: DeliveryReason | None,
    now: datetime,
    campaign: Campaign | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> list[UUID]:
    """The people behind a number of ``count_reach``: ids of customers, in order.

    ``why`` None: those who are reached. ``after`` is the last id of the page before.
    """
    verdicts = _verdicts(crowd, [channel], now, campaign)
    statement = f"""
        SELECT customer_id FROM ({verdicts.statement}) v
        WHERE why IS NOT DISTINCT FROM %(why)s
          AND (%(after)s::uuid IS NULL OR customer_id > %(after)s::uuid)
        ORDER BY customer_id LIMIT %(limit)s
        """  # noqa: S608 - built of our own column names and numbers
    further = {"why": why.value if why else None, "after": after, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(statement, verdicts.values | further)
        return [customer_id for (customer_id,) in cursor.fetchall()]


def _verdicts(
    crowd: Crowd, channels: list[str], now: datetime, campaign: Campaign | None
) -> _Verdicts:
    tenant = Tenant.objects.get(pk=require_tenant_id())
    limits = limits_of(tenant)
    heard, heard_join = heard_by_everybody(limits)
    values = {**crowd.values(), "tenant": tenant.pk, "channels": channels, "now": now}
    further, quiet_join = [], ""
    if campaign and campaign.hold_out_percent:
        further.append(_hold_out(campaign))
        values["hold_out"] = str(campaign.pk)
    if campaign and campaign.quiet_hours_policy == QuietHoursPolicy.SKIP:
        at = max(now, campaign.scheduled_at or now)
        zones = quiet_zones(tenant, at)
        further.append(quiet_when("coalesce(z.is_quiet, %(club_is_quiet)s)"))
        quiet_join = (
            "LEFT JOIN unnest(%(zones)s::text[], %(zones_quiet)s::boolean[]) AS z(zone, is_quiet) "
            "ON z.zone = p.time_zone"
        )
        values |= {
            "zones": list(zones),
            "zones_quiet": [until is not None for until in zones.values()],
            "club_is_quiet": quiet_until(tenant, tenant.time_zone, at) is not None,
        }
    verdict = why_not_by_channel("c.channel", channels, limits, heard, *further)
    statement = f"""
        SELECT m.customer_id, c.channel, {verdict} AS why
        FROM ({crowd.members()}) m
        JOIN customers_customerprofile p ON p.id = m.customer_id
        CROSS JOIN unnest(%(channels)s::text[]) AS c(channel)
        {quiet_join}
        {heard_join}
        """  # noqa: S608 - built of our own column names and numbers
    return _Verdicts(statement, values)


def _hold_out(campaign: Campaign) -> str:
    """Drawn by campaign and customer, so that the same people are held out of every run."""
    return held_out_when(bucket("%(hold_out)s", "m.customer_id"), campaign.hold_out_percent)


_THESE = "SELECT unnest(%(customers)s::uuid[]) AS customer_id"


def take_snapshot(
    *,
    run: CampaignRun,
    campaign: Campaign,
    now: datetime,
    due: DueTimes = AT_ONCE,
    test: Test | None = None,
    customer_ids: Sequence[UUID] | None = None,
) -> int:
    """Write down everybody the campaign is for, once for each channel, in one statement.

    Who may not be written to is written down too, as SUPPRESSED with the reason; quiet hours are
    looked at when a message is about to leave. With a ``test`` each of its variants gets its share,
    and the others wait until it is decided. ``customer_ids``: these people instead. Returns the
    number of people. Keys follow from run, customer and channel; a repeat adds nothing.
    """
    limits = limits_of(Tenant.objects.get(pk=require_tenant_id()))
    heard, heard_join = heard_by_everybody(limits)
    channels, crowd = list(campaign.channels), Crowd.of(campaign)
    further = [_hold_out(campaign)] if campaign.hold_out_percent else []
    verdict = why_not_by_channel("c.channel", channels, limits, heard, *further)
    test_columns, test_join, test_values = _in_test(test, channels)
    people = crowd.members() if customer_ids is None else _THESE
    planned = "coalesce(z.due_at, %(planned)s::timestamptz)"
    statement = f"""
        INSERT INTO campaigns_delivery (
            id, tenant_id, campaign_id, run_id, customer_id, channel, template_id, variant_id,
            idempotency_key, state, reason, due_at, planned_at, settled_at, attempts, created_at,
            updated_at
        )
        SELECT fairway_uuid7(), %(tenant)s, %(campaign)s, %(run)s, v.customer_id, v.channel,
            v.template_id, CASE WHEN v.why IS NULL THEN v.variant_id END,
            'run:' || %(run)s || ':' || v.customer_id || ':' || v.channel,
            CASE WHEN v.why IS NULL THEN 'PENDING' ELSE 'SUPPRESSED' END, v.why,
            CASE WHEN v.why IS NULL THEN greatest(v.due_at, v.planned_at) ELSE %(now)s END,
            v.planned_at,
            CASE WHEN v.why IS NOT NULL THEN %(now)s::timestamptz END, 0, %(now)s, %(now)s
        FROM (
            SELECT m.customer_id, c.channel, {test_columns}, {planned} AS planned_at,
                coalesce({verdict}, CASE WHEN {planned} < %(skip_before)s
                    THEN '{DeliveryReason.HOUR_PASSED}' END) AS why
            FROM ({people}) m
            JOIN customers_customerprofile p ON p.id = m.customer_id
            CROSS JOIN unnest(%(channels)s::text[], %(templates)s::text[])
                AS c(channel, template_id)
            LEFT JOIN unnest(%(zones)s::text[], %(zone_dues)s::timestamptz[])
                AS z(zone, due_at) ON z.zone = p.time_zone
            {test_join}
            {heard_join}
        ) v
        ON CONFLICT DO NOTHING
        """  # noqa: S608 - built of our own column names and numbers
    values: dict[str, Any] = {
        "tenant": require_tenant_id(),
        "campaign": campaign.pk,
        "run": str(run.pk),
        "hold_out": str(campaign.pk),
        **crowd.values(),
        "channels": channels,
        "templates": [campaign.template_for(channel) for channel in channels],
        "customers": list(customer_ids or ()),
        "zones": list(due.zones),
        "zone_dues": list(due.dues),
        "planned": due.planned,
        "skip_before": due.skip_before,
        "now": now,
        **test_values,
    }
    with statement_timeout(SNAPSHOT_TIMEOUT_SECONDS), connection.cursor() as cursor:
        cursor.execute(statement, values)
        written = cursor.rowcount
    return written // len(channels)


def _in_test(test: Test | None, channels: list[str]) -> tuple[str, str, dict[str, Any]]:
    """The columns ``template_id, variant_id, due_at`` of a snapshot, and the join they need."""
    if test is None:
        columns = "c.template_id, NULL::uuid AS variant_id, %(now)s::timestamptz AS due_at"
        return columns, "", {}
    columns = (
        "coalesce(t.template_id, c.template_id) AS template_id, t.variant_id, "
        "coalesce(t.due_at, %(decide_at)s) AS due_at"
    )
    # OFFSET 0 keeps the draw from being made again for every variant.
    join = f"""
        CROSS JOIN LATERAL (SELECT {bucket("%(run)s", "m.customer_id")} AS draw OFFSET 0) b
        LEFT JOIN unnest(%(arms)s::uuid[], %(arm_channels)s::text[], %(lows)s::int[],
                %(highs)s::int[], %(arm_templates)s::text[], %(dues)s::timestamptz[])
            AS t(variant_id, channel, low, high, template_id, due_at)
            ON t.channel = c.channel AND b.draw >= t.low AND b.draw < t.high
        """
    arms = [(arm, channel) for arm in test.arms for channel in channels]
    values = {
        "arms": [arm.variant.pk for arm, _ in arms],
        "arm_channels": [channel for _, channel in arms],
        "lows": [arm.low for arm, _ in arms],
        "highs": [arm.high for arm, _ in arms],
        "arm_templates": [arm.variant.template_for(channel) for arm, channel in arms],
        "dues": [arm.due_at for arm, _ in arms],
        "decide_at": test.decide_at,
    }
    return columns, join, values
