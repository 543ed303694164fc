"""What rules may count of campaigns: opens, clicks and the other interactions."""

from typing import Any

from campaigns.choices import CampaignInteractionType
from campaigns.models import CampaignInteraction
from crm_site.messaging.channels import Channel
from segments.rules.counts import CountSource, Filter, add_source, choice_filter
from segments.rules.starters import Starter, add_starter, all_of
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


def _responses(kind: CampaignInteractionType, operator: str, value: int) -> dict[str, Any]:
    return {
        "interaction": {"type": kind.value, "channel": Channel.EMAIL.value},
        "operator": operator,
        "value": value,
    }


add_starter(
    Starter(
        "Never opened",
        "Were sent three e-mails or more and opened none.",
        all_of(
            _responses(CampaignInteractionType.DELIVERED, "countAtLeast", 3),
            _responses(CampaignInteractionType.OPENED, "countExactly", 0),
        ),
    )
)
