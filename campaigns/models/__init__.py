"""Saying something to a segment, and learning what came of it."""

from campaigns.models.audience import CampaignSegment
from campaigns.models.campaign import Campaign, CampaignRun, Delivery
from campaigns.models.hold import SendingHold
from campaigns.models.interaction import CampaignInteraction
from campaigns.models.promotion import EventPromotion

__all__ = [
    "Campaign",
    "CampaignInteraction",
    "CampaignRun",
    "CampaignSegment",
    "Delivery",
    "EventPromotion",
    "SendingHold",
]
