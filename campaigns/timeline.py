"""What campaigns add to a customer's timeline: messages that did not go out, and those to come."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db.models import Exists, OuterRef

from campaigns.choices import CampaignInteractionType, CampaignStatus, DeliveryReason, DeliveryState
from campaigns.models import Campaign, CampaignInteraction, Delivery
from crm_site.messaging.channels import Channel
from customers.choices import ActivityCategory
from customers.services.timeline import (
    COMING_SIZE,
    Entry,
    Question,
    plans_ahead,
    timeline_source,
)

NOUNS = {
    Channel.EMAIL: "an e-mail",
    Channel.SMS: "an SMS",
    Channel.PUSH: "a push message",
    Channel.WHATSAPP: "a WhatsApp message",
    Channel.IN_APP: "an in-app message",
}


@timeline_source
def messages(question: Question) -> Iterator[Entry]:
    """Settled messages of which Messaging told nothing: left out, refused, or only just sent.

    What it did tell of (sent, delivered, opened …) is on the timeline as an activity.
    """
    if not question.wants(ActivityCategory.COMMUNICATION):
        return
    told = CampaignInteraction.objects.filter(
        delivery=OuterRef("pk"), type=CampaignInteractionType.SENT
    )
    rows = Delivery.objects.filter(
        ~Exists(told), customer_id=question.customer_id, settled_at__isnull=False
    )
    # Their words are made here, so those that lack the words asked for are passed over here, too.
    found = (
        question.older(rows, "settled_at")
        if question.words
        else question.page_of(rows, "settled_at")
    )
    entries = (_entry(row, row.settled_at, _title(row), _why(row)) for row in found.iterator(500))
    fitting = (each for each in entries if question.has_words(each.title, each.description))
    yield from islice(fitting, question.limit)


@plans_ahead
def messages_to_come(customer_id: UUID, viewer: str, now: datetime) -> Iterator[Entry]:
    """Messages in the outbox, and campaigns that will write to a segment the customer is in."""
    waiting = Delivery.objects.filter(
        customer_id=customer_id,
        state=DeliveryState.PENDING,
        campaign__status__in=[CampaignStatus.ACTIVE, CampaignStatus.PAUSED],
    )
    for row in waiting.select_related("campaign").order_by("due_at", "pk")[:COMING_SIZE]:
        is_paused = row.campaign is not None and row.campaign.status == CampaignStatus.PAUSED
        why = "Its campaign is paused." if is_paused else ""
        yield _entry(row, max(row.due_at, now), f"Will be sent {NOUNS[Channel(row.channel)]}", why)
    planned = Campaign.objects.live().filter(
        status=CampaignStatus.SCHEDULED,
        scheduled_at__gt=now,
        segment__memberships__customer=customer_id,
    )
    for campaign in planned.order_by("scheduled_at", "pk")[:COMING_SIZE]:
        channels = " and ".join(NOUNS[Channel(channel)] for channel in campaign.channels)
        yield Entry(
            at=campaign.scheduled_at,
            id=campaign.pk,
            kind="campaign",
            category=ActivityCategory.COMMUNICATION,
            type="CAMPAIGN_SCHEDULED",
            title=f"May be sent {channels or 'a message'}",
            description="If they still agree to it then.",
            metadata={"metadata": {"campaignId": str(campaign.pk)}},
        )


def _entry(row: Delivery, at: datetime, title: str, description: str) -> Entry:
    return Entry(
        at=at,
        id=row.pk,
        kind="delivery",
        category=ActivityCategory.COMMUNICATION,
        type=f"DELIVERY_{row.state}",
        title=title,
        description=description,
        channel=row.channel,
        # As Messaging's own events carry it.
        metadata={"metadata": {"campaignId": str(row.campaign_id), "deliveryId": str(row.pk)}},
    )


def _title(row: Delivery) -> str:
    noun = NOUNS[Channel(row.channel)]
    if row.state == DeliveryState.ACCEPTED:
        return f"Was sent {noun}"
    return f"Was not sent {noun}"


def _why(row: Delivery) -> str:
    known = row.reason in DeliveryReason.values
    return f"{DeliveryReason(row.reason).label}." if row.reason and known else ""
