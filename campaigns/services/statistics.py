"""A campaign's counters and rates, derived from its rows.

What is counted is messages: one to one person over one channel of one run, however often it was
opened. An interaction whose message is not known here counts its person instead.

* target: people in the segment, summed over runs
* sent: messages Messaging accepted (deliveries ACCEPTED)
* delivered, opened, clicked, converted, unsubscribed, bounced: messages with such an interaction
* delivery rate: delivered ÷ sent; open, click and conversion rate: each ÷ delivered

They grow with each batch of outcomes or events (``add_to_counters``) and are counted anew from the
rows now and then (``rebuild_statistics``). Both hold the campaign's row while they write, so that
neither overlooks the other; they give the same numbers.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, FloatField, Q, Sum
from django.db.models.functions import Cast, Coalesce, NullIf

from campaigns.choices import CampaignInteractionType, CampaignStatus, DeliveryState
from campaigns.models import Campaign, CampaignInteraction, CampaignRun, Delivery

# The counter of each type of interaction that has one. SENT comes from the ledger.
COUNTER_OF = {
    CampaignInteractionType.SENT: "sent_count",
    CampaignInteractionType.DELIVERED: "delivered_count",
    CampaignInteractionType.OPENED: "opened_count",
    CampaignInteractionType.CLICKED: "clicked_count",
    CampaignInteractionType.CONVERTED: "converted_count",
    CampaignInteractionType.UNSUBSCRIBED: "unsubscribed_count",
    CampaignInteractionType.BOUNCED: "bounced_count",
}
RATES = {
    "delivery_rate": ("delivered_count", "sent_count"),
    "open_rate": ("opened_count", "delivered_count"),
    "click_rate": ("clicked_count", "delivered_count"),
    "conversion_rate": ("converted_count", "delivered_count"),
}


def add_to_counters(campaign_id: UUID, added: Mapping[CampaignInteractionType, int]) -> None:
    """Count newly seen messages of one campaign, by what happened to them."""
    grown = {COUNTER_OF[type_]: count for type_, count in added.items() if type_ in COUNTER_OF}
    if not any(grown.values()):
        return
    campaigns = Campaign.objects.filter(pk=campaign_id)
    campaigns.update(**{name: F(name) + count for name, count in grown.items()})
    _renew_rates(campaign_id)


@transaction.atomic
def rebuild_statistics(campaign_id: UUID) -> dict[str, int]:
    """Count everything of one campaign from its rows. Returns the counters by name."""
    Campaign.objects.select_for_update().get(pk=campaign_id)
    counted = {
        "target_count": _target(campaign_id),
        "sent_count": Delivery.objects.filter(
            campaign_id=campaign_id, state=DeliveryState.ACCEPTED
        ).count(),
        **_interactions(campaign_id),
    }
    Campaign.objects.filter(pk=campaign_id).update(**counted)
    _renew_rates(campaign_id)
    return counted


def rebuild_active() -> int:
    """Count anew what is under way in the tenant in scope. Returns the number of campaigns."""
    under_way = [CampaignStatus.ACTIVE, CampaignStatus.PAUSED]
    with transaction.atomic():
        ids = list(Campaign.objects.filter(status__in=under_way).values_list("pk", flat=True))
    for campaign_id in ids:
        rebuild_statistics(campaign_id)
    return len(ids)


def reasons_of(campaign_id: UUID, run_id: UUID | None = None) -> dict[str, dict[str, int]]:
    """Deliveries by state, and within it by reason ("" where there is none)."""
    deliveries = Delivery.objects.filter(campaign_id=campaign_id)
    if run_id:
        deliveries = deliveries.filter(run_id=run_id)
    found: dict[str, dict[str, int]] = {}
    rows = deliveries.order_by().values_list("state", "reason").annotate(count=Count("pk"))
    for state, reason, count in rows:
        by_reason = found.setdefault(state, {})
        by_reason[reason or ""] = by_reason.get(reason or "", 0) + count
    return found


def sent_by_run(campaign_id: UUID) -> dict[str, int]:
    """Messages sent, by the id of the run."""
    rows = (
        Delivery.objects.filter(
            campaign_id=campaign_id, run__isnull=False, state=DeliveryState.ACCEPTED
        )
        .order_by()
        .values_list("run_id")
        .annotate(count=Count("pk"))
    )
    return {str(run_id): count for run_id, count in rows}


def counts_by_channel(campaign_id: UUID) -> list[dict[str, object]]:
    """Per channel: messages sent, and messages with each type of interaction."""
    sent = (
        Delivery.objects.filter(campaign_id=campaign_id)
        .order_by()
        .values("channel")
        .annotate(
            sent=Count("pk", filter=Q(state=DeliveryState.ACCEPTED)),
            suppressed=Count("pk", filter=Q(state=DeliveryState.SUPPRESSED)),
        )
    )
    types = _distinct_messages(campaign_id, "channel")
    return [
        {
            **row,
            **{
                name.removesuffix("_count"): types.get((row["channel"], type_.value), 0)
                for type_, name in COUNTER_OF.items()
                if type_ != CampaignInteractionType.SENT
            },
        }
        for row in sent
    ]


def _target(campaign_id: UUID) -> int:
    total = CampaignRun.objects.filter(campaign_id=campaign_id).aggregate(total=Sum("target_count"))
    return total["total"] or 0


def _interactions(campaign_id: UUID) -> dict[str, int]:
    found = _distinct_messages(campaign_id)
    return {
        name: found.get((type_.value,), 0)
        for type_, name in COUNTER_OF.items()
        if type_ != CampaignInteractionType.SENT
    }


def _distinct_messages(campaign_id: UUID, *by: str) -> dict[tuple[str, ...], int]:
    rows = (
        CampaignInteraction.objects.filter(campaign_id=campaign_id)
        .order_by()
        .values_list(*by, "type")
        .annotate(messages=Count(Coalesce("delivery_id", "customer_id"), distinct=True))
    )
    return {tuple(row[:-1]): row[-1] for row in rows}


def _renew_rates(campaign_id: UUID) -> None:
    Campaign.objects.filter(pk=campaign_id).update(
        **{
            rate: Cast(F(part), FloatField()) / NullIf(Cast(F(whole), FloatField()), 0.0)
            for rate, (part, whole) in RATES.items()
        }
    )


def lock_campaigns(campaign_ids: list[UUID]) -> None:
    """Hold the campaigns' rows, in order, before interactions of theirs are added and counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM campaigns_campaign WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [campaign_ids],
        )
        cursor.fetchall()
