"""What Messaging's events mean to campaigns."""

import ipaddress
from typing import Any
from uuid import UUID

from campaigns.choices import CampaignInteractionType
from campaigns.rule_sources import INTERACTION
from campaigns.services.interactions import MessageFact, record_interactions
from crm_site.messaging.channels import Channel
from customers.sync.events import ProcessedEvent
from customers.sync.registry import follows
from segments.tasks import look_again

TYPES = {
    "message.sent": CampaignInteractionType.SENT,
    "message.delivered": CampaignInteractionType.DELIVERED,
    "message.bounced": CampaignInteractionType.BOUNCED,
    "message.opened": CampaignInteractionType.OPENED,
    "message.clicked": CampaignInteractionType.CLICKED,
    "message.unsubscribed": CampaignInteractionType.UNSUBSCRIBED,
    "message.complained": CampaignInteractionType.COMPLAINED,
    "message.replied": CampaignInteractionType.REPLIED,
}


@follows("messaging", *TYPES)
def record_message_events(processed: list[ProcessedEvent]) -> None:
    """One interaction per event of a campaign's message; a message in doubt is settled by it."""
    facts = [fact for each in processed if (fact := _fact(each)) is not None]
    if facts and record_interactions(facts):
        look_again([fact.customer_id for fact in facts], {INTERACTION.name})


def _fact(processed: ProcessedEvent) -> MessageFact | None:
    """What an event says; None for one about no message of ours. What cannot be read is left out:
    the timeline has the event either way."""
    event, data = processed.event, processed.event.data
    metadata = data.get("metadata")
    if not isinstance(metadata, dict) or data.get("channel") not in Channel.values:
        return None
    campaign_id, delivery_id = _id(metadata.get("campaignId")), _id(metadata.get("deliveryId"))
    if campaign_id is None and delivery_id is None:
        return None
    location = data.get("location")
    return MessageFact(
        event_id=event.id,
        type=TYPES[event.type],
        customer_id=processed.customer_id,
        channel=Channel(data["channel"]),
        occurred_at=event.time,
        campaign_id=campaign_id,
        delivery_id=delivery_id,
        message_id=_text(data.get("messageId"), 128),
        link_id=_text(data.get("linkId"), 128),
        link_url=_text(data.get("linkUrl"), 2000),
        device_type=_text(data.get("deviceType"), 32),
        user_agent=_text(data.get("userAgent"), 2000),
        ip_address=_address(data.get("ipAddress")),
        location=location if isinstance(location, dict) else None,
    )


def _id(given: Any) -> UUID | None:
    try:
        return UUID(given)
    except (ValueError, TypeError, AttributeError):
        return None


def _text(given: Any, longest: int) -> str | None:
    if not isinstance(given, str) or not given or len(given) > longest or "\x00" in given:
        return None
    return given


def _address(given: Any) -> str | None:
    try:
        return str(ipaddress.ip_address(given))
    except ValueError:
        return None
