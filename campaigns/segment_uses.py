"""Which campaigns ask who is in a segment."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, CampaignSegment
from segments.services.usage import Use, register_use

OPEN = (
    *(CampaignStatus.DRAFT, CampaignStatus.SCHEDULED),
    *(CampaignStatus.ACTIVE, CampaignStatus.PAUSED),
)
# These write by themselves when their time comes.
SCHEDULED = (CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE)


@register_use
def find_campaigns(segment_id: UUID) -> Iterable[Use]:
    """Those that are not over; a draft does not keep its segment from being deleted."""
    further = CampaignSegment.objects.filter(segment_id=segment_id).values("campaign_id")
    campaigns = (
        Campaign.objects.live()
        .filter(Q(segment_id=segment_id) | Q(pk__in=further))
        .filter(status__in=OPEN)
    )
    for pk, name, status in campaigns.values_list("pk", "name", "status"):
        yield Use(
            "campaign",
            name,
            pk,
            "campaigns_campaign_change",
            is_live=status != CampaignStatus.DRAFT,
            is_scheduled=status in SCHEDULED,
        )
