"""Trying one thing against another: who gets which, which did better, and what the others get."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from campaigns.choices import RunStatus
from campaigns.models import Campaign, CampaignRun, CampaignVariant
from campaigns.services.claims import repeat_horizon
from campaigns.services.draws import share
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.db.timeouts import statement_timeout

MOST_VARIANTS = 5
CONTENT = ("email_template_id", "sms_template_id", "push_template_id", "send_hour")
# The winner's content for all who waited may be a million rows.
SWITCH_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Arm:
    """A variant, the draws that fall to it (from ``low`` up to ``high``), and when it goes out."""

    variant: CampaignVariant
    low: int
    high: int
    due_at: datetime


@dataclass(frozen=True)
class Test:
    """The arms of a run's test; whoever is in none waits until ``decide_at``."""

    arms: tuple[Arm, ...]
    decide_at: datetime


@dataclass(frozen=True)
class VariantResult:
    """How one variant did: ``hits`` of the ``sent`` messages did what counts."""

    variant: CampaignVariant
    sent: int
    hits: int

    @property
    def rate(self) -> float | None:
        return self.hits / self.sent if self.sent else None


def plan_test(campaign: Campaign, now: datetime) -> Test | None:
    """The test of a run that goes out at ``now``; None where the campaign has none."""
    variants = list(campaign.variants.all()) if campaign.test_percent else []
    if not variants:
        return None
    in_test, arms, parts, low = share(campaign.test_percent or 0), [], 0, 0
    total = sum(variant.share for variant in variants)
    for variant in variants:
        parts += variant.share
        high = in_test * parts // total
        arms.append(Arm(variant, low, high, _due_at(variant, campaign, now)))
        low = high
    last = max(arm.due_at for arm in arms)
    return Test(tuple(arms), last + timedelta(hours=campaign.test_hours))


def set_variants(campaign: Campaign, given: Iterable[Mapping[str, Any]]) -> None:
    """Let a campaign have exactly these, in this order."""
    campaign.variants.all().delete()
    for position, values in enumerate(given):
        CampaignVariant.objects.create(campaign=campaign, position=position, **_fields(values))


def are_others(campaign: Campaign, given: Iterable[Mapping[str, Any]]) -> bool:
    """Whether these are not the variants that it has."""
    return [_fields(each) for each in given] != [
        _fields(each) for each in campaign.variants.values()
    ]


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in ("name", "share", *CONTENT)}


def faults_of_test(campaign: Campaign) -> Iterator[tuple[str, str, str]]:
    """What keeps a test from meaning anything: (code, words, field)."""
    variants = list(campaign.variants.all())
    if campaign.test_percent is None:
        if variants:
            words = "Say how many percent of the audience get the variants, or remove them."
            yield "test_share_missing", words, "test_percent"
        return
    if len(variants) < 2:
        yield "variants_missing", "A test needs at least two variants.", "variants"
    if len(variants) > MOST_VARIANTS:
        yield "variants_many", f"At most {MOST_VARIANTS} variants.", "variants"
    total = sum(variant.share for variant in variants)
    if variants and total != 100:
        words = f"The variants' shares add up to {total} percent and not to 100."
        yield "variant_shares", words, "variants"
    contents = {tuple(getattr(each, name) for name in CONTENT) for each in variants}
    if len(contents) < len(variants):
        yield "variants_same", "Two variants are the same in everything.", "variants"


def results_of_test(run: CampaignRun) -> list[VariantResult]:
    """How each variant did so far, in the campaign's order."""
    campaign = run.campaign
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.variant_id, count(*), count(*) FILTER (WHERE EXISTS (
                SELECT FROM campaigns_campaigninteraction i
                WHERE i.delivery_id = d.id AND i.type = %s))
            FROM campaigns_delivery d
            WHERE d.run_id = %s AND d.variant_id IS NOT NULL AND d.state = 'ACCEPTED'
            GROUP BY d.variant_id
            """,
            [campaign.test_metric, run.pk],
        )
        found = {variant_id: (sent, hits) for variant_id, sent, hits in cursor.fetchall()}
    return [
        VariantResult(variant, *found.get(variant.pk, (0, 0)))
        for variant in campaign.variants.all()
    ]


@transaction.atomic
def decide_test(run_id: UUID, now: datetime) -> bool:
    """Choose the winner of a run whose test is over; the others get it. False if not our turn.

    The best rate wins, the first of equals, and the first of all where nobody did anything.
    """
    run = (
        CampaignRun.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("campaign")
        .filter(pk=run_id, status=RunStatus.SENDING, decide_at__lte=now, decided_at__isnull=True)
        .first()
    )
    if run is None:
        return False
    results = results_of_test(run)
    # max() gives the first of equals.
    best = max(results, key=lambda each: each.rate or 0.0) if results else None
    run.winner, run.decided_at = best.variant if best else None, now
    run.save(update_fields=["winner", "decided_at", "updated_at"])
    if best:
        _give_to_the_others(run, best.variant, now)
        figures = {each.variant.name: {"sent": each.sent, "hits": each.hits} for each in results}
        audit.record(
            "DECIDE_TEST", run.campaign, actor=Actor.current(),
            metadata={"winner": best.variant.name, "by": run.campaign.test_metric, **figures},
        )  # fmt: skip
    return True


def _give_to_the_others(run: CampaignRun, winner: CampaignVariant, now: datetime) -> None:
    """Its content, and its hour; but what has waited for too long stays due, to be left out."""
    is_late = run.decide_at is not None and now - run.decide_at > repeat_horizon()
    has_hour = winner.send_hour is not None and not is_late
    due_at = _due_at(winner, run.campaign, now) if has_hour else None
    channels = list(run.campaign.channels)
    with statement_timeout(SWITCH_TIMEOUT_SECONDS), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery d SET
                template_id = w.template_id, due_at = greatest(d.due_at, %(due)s::timestamptz),
                updated_at = %(now)s
            FROM unnest(%(channels)s::text[], %(templates)s::text[]) AS w(channel, template_id)
            WHERE d.run_id = %(run)s AND d.state = 'PENDING' AND d.variant_id IS NULL
              AND w.channel = d.channel
              AND (d.template_id IS DISTINCT FROM w.template_id OR d.due_at < %(due)s::timestamptz)
            """,
            {
                "run": run.pk,
                "now": now,
                "due": due_at,
                "channels": channels,
                "templates": [
                    winner.template_for(channel) or run.campaign.template_for(channel)
                    for channel in channels
                ],
            },
        )


def _due_at(variant: CampaignVariant, campaign: Campaign, now: datetime) -> datetime:
    """The next time it is the variant's hour by the clock of the campaign's zone; now if any is."""
    if variant.send_hour is None:
        return now
    zone = ZoneInfo(campaign.timezone or "UTC")
    local = now.astimezone(zone)
    if local.hour == variant.send_hour:
        return now
    day = local.date() + timedelta(days=local.hour > variant.send_hour)
    return datetime(day.year, day.month, day.day, variant.send_hour, tzinfo=zone)
