"""What rules may count of campaigns: opens, clicks and the other interactions."""

from campaigns.choices import CampaignInteractionType
from campaigns.models import CampaignInteraction
from crm_site.messaging.channels import Channel
from segments.rules.counts import CountSource, Filter, add_source, choice_filter
from segments.rules.values import read_uuid

INTERACTION = CountSource(
    "interaction",
    ("response to a campaign", "responses to campaigns"),
    CampaignInteraction,
    {
        "type": choice_filter("type", "type", CampaignInteractionType),
        "channel": choice_filter("channel", "channel", Channel),
        "campaignId": Filter("campaign_id", "campaign", read_uuid),
    },
    "Campaigns",
)

add_source(INTERACTION)
