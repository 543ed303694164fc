"""What came of messages: one interaction per event, counted once per message."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Func, Q, UUIDField
from django.utils import timezone

from campaigns.choices import CampaignInteractionType, DeliveryState
from campaigns.models import Campaign, CampaignInteraction, Delivery
from campaigns.services.statistics import add_to_counters, lock_campaigns
from crm_site.messaging.channels import Channel


@dataclass(frozen=True)
class MessageFact:
    """One thing that happened to one message, as Messaging told it; ids not yet checked."""

    event_id: str
    type: CampaignInteractionType
    customer_id: UUID
    channel: Channel
    occurred_at: datetime
    campaign_id: UUID | None = None
    delivery_id: UUID | None = None
    message_id: str | None = None
    link_id: str | None = None
    link_url: str | None = None
    device_type: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    location: Any = None


def record_interactions(facts: Sequence[MessageFact]) -> int:
    """Write down what happened, in a few statements whatever the number. Returns how many are new.

    A campaign that is not of this tenant, or a message that is not of that campaign, is left out:
    the event came from outside and only says so. A repeat changes nothing.
    """
    deliveries = _deliveries_of(facts)
    _settle(facts, deliveries)
    campaign_ids = {fact.campaign_id for fact in facts if fact.campaign_id}
    known = set(Campaign.objects.filter(pk__in=campaign_ids).values_list("pk", flat=True))
    if not known:
        return 0
    lock_campaigns(list(known))
    event_ids = [fact.event_id for fact in facts]
    seen = set(
        CampaignInteraction.objects.filter(source_event_id__in=event_ids).values_list(
            "source_event_id", flat=True
        )
    )
    new = {
        fact.event_id: _interaction(fact, fact.campaign_id, deliveries)
        for fact in facts
        if fact.campaign_id and fact.campaign_id in known and fact.event_id not in seen
    }
    rows = list(new.values())
    _count_first(rows)
    CampaignInteraction.objects.bulk_create(rows)
    return len(rows)


def _interaction(
    fact: MessageFact, campaign_id: UUID, deliveries: dict[UUID, Delivery]
) -> CampaignInteraction:
    delivery = deliveries.get(fact.delivery_id) if fact.delivery_id else None
    is_its_own = delivery is not None and delivery.campaign_id == campaign_id
    return CampaignInteraction(
        campaign_id=campaign_id,
        customer_id=fact.customer_id,
        delivery_id=delivery.pk if delivery is not None and is_its_own else None,
        channel=fact.channel,
        type=fact.type,
        message_id=fact.message_id,
        link_id=fact.link_id,
        link_url=fact.link_url,
        device_type=fact.device_type,
        user_agent=fact.user_agent,
        ip_address=fact.ip_address,
        location=fact.location,
        source_event_id=fact.event_id,
        occurred_at=fact.occurred_at,
    )


def _deliveries_of(facts: Iterable[MessageFact]) -> dict[UUID, Delivery]:
    ids = {fact.delivery_id for fact in facts if fact.delivery_id}
    return {
        row.pk: row
        for row in Delivery.objects.filter(pk__in=ids).only("pk", "campaign_id", "state")
    }


def _settle(facts: Iterable[MessageFact], deliveries: dict[UUID, Delivery]) -> None:
    """An event about a message proves that it was accepted, whatever we had learned before."""
    open_states = {DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNKNOWN}
    by_message: dict[UUID, str | None] = {
        fact.delivery_id: fact.message_id
        for fact in facts
        if fact.delivery_id
        and fact.delivery_id in deliveries
        and deliveries[fact.delivery_id].state in open_states
    }
    if not by_message:
        return
    settled = _settle_rows(by_message)
    for campaign_id, count in sorted(settled.items(), key=str):
        add_to_counters(campaign_id, {CampaignInteractionType.SENT: count})


def _settle_rows(message_ids: dict[UUID, str | None]) -> Counter[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery d SET
                state = 'ACCEPTED', reason = NULL, error = NULL, settled_at = %(now)s,
                message_id = coalesce(e.message_id, d.message_id), updated_at = %(now)s,
                claim_token = NULL, leased_until = NULL
            FROM unnest(%(ids)s::uuid[], %(messages)s::text[]) AS e(id, message_id)
            WHERE d.id = e.id AND d.state IN ('PENDING', 'CLAIMED', 'UNKNOWN')
            RETURNING d.campaign_id
            """,
            {
                "ids": list(message_ids),
                "messages": list(message_ids.values()),
                "now": timezone.now(),
            },
        )
        return Counter(campaign_id for (campaign_id,) in cursor.fetchall() if campaign_id)


def _count_first(rows: Sequence[CampaignInteraction]) -> None:
    """Count the messages that a type of thing happens to for the first time."""
    new: dict[UUID, set[tuple[str, UUID]]] = defaultdict(set)
    for row in rows:
        new[row.campaign_id].add((row.type, row.delivery_id or row.customer_id))
    for campaign_id in sorted(new, key=str):
        pairs = new[campaign_id] - _already(campaign_id, new[campaign_id])
        counts = Counter(CampaignInteractionType(type_) for type_, _ in pairs)
        # What was sent is counted by the ledger.
        counts.pop(CampaignInteractionType.SENT, None)
        add_to_counters(campaign_id, counts)


def _already(campaign_id: UUID, pairs: set[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    """Those of ``pairs`` (type, message or person) that an older interaction has."""
    units = [unit for _, unit in pairs]
    rows = CampaignInteraction.objects.filter(campaign_id=campaign_id).filter(
        Q(delivery_id__in=units) | Q(customer_id__in=units, delivery__isnull=True)
    )
    unit = Func(F("delivery_id"), F("customer_id"), function="COALESCE", output_field=UUIDField())
    return set(rows.annotate(unit=unit).values_list("type", "unit").distinct())
