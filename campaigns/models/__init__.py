"""Saying something to a segment, and learning what came of it."""

from campaigns.models.approval import CampaignApproval
from campaigns.models.audience import CampaignSegment
from campaigns.models.campaign import Campaign, CampaignRun, Delivery
from campaigns.models.cap import FrequencyCap
from campaigns.models.firing import TriggerFiring
from campaigns.models.hold import SendingHold
from campaigns.models.interaction import CampaignInteraction
from campaigns.models.promotion import EventPromotion
from campaigns.models.results import CampaignBreakdown, CampaignResults
from campaigns.models.trial import SeedRecipient, TrialMessage
from campaigns.models.variant import CampaignVariant

__all__ = [
    "Campaign",
    "CampaignApproval",
    "CampaignBreakdown",
    "CampaignInteraction",
    "CampaignResults",
    "CampaignRun",
    "CampaignSegment",
    "CampaignVariant",
    "Delivery",
    "EventPromotion",
    "FrequencyCap",
    "SeedRecipient",
    "SendingHold",
    "TrialMessage",
    "TriggerFiring",
]
