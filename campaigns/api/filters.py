"""What lists of campaigns' rows may be filtered by."""

from campaigns.models import (
    Campaign,
    CampaignApproval,
    CampaignInteraction,
    CampaignRun,
    Delivery,
    EventPromotion,
)
from crm_site.api.filters import TenantFilterSet

RANGE = ["gte", "gt", "lte", "lt"]


class CampaignFilter(TenantFilterSet):
    class Meta:
        model = Campaign
        fields = {
            "club": ["exact"],
            "name": ["exact", "icontains"],
            "type": ["exact", "in"],
            "status": ["exact", "in"],
            "segment": ["exact"],
            "channels": ["exact"],
            "scheduled_at": [*RANGE, "isnull"],
            "started_at": RANGE,
            "completed_at": RANGE,
            "created_at": RANGE,
            "created_by": ["exact"],
        }


class CampaignRunFilter(TenantFilterSet):
    class Meta:
        model = CampaignRun
        fields = {"status": ["exact", "in"], "occurrence_at": RANGE}


class CampaignApprovalFilter(TenantFilterSet):
    class Meta:
        model = CampaignApproval
        fields = {"status": ["exact", "in"], "requested_at": RANGE}


class DeliveryFilter(TenantFilterSet):
    class Meta:
        model = Delivery
        fields = {
            "run": ["exact"],
            "variant": ["exact", "isnull"],
            "customer": ["exact"],
            "channel": ["exact"],
            "state": ["exact", "in"],
            "reason": ["exact", "in", "isnull"],
            "message_id": ["exact"],
        }


class CampaignInteractionFilter(TenantFilterSet):
    class Meta:
        model = CampaignInteraction
        fields = {
            "campaign": ["exact"],
            "customer": ["exact"],
            "delivery": ["exact"],
            "channel": ["exact"],
            "type": ["exact", "in"],
            "message_id": ["exact"],
            "occurred_at": RANGE,
        }


class EventPromotionFilter(TenantFilterSet):
    class Meta:
        model = EventPromotion
        fields = {
            "club": ["exact"],
            "source_type": ["exact"],
            "source_id": ["exact"],
            "segment": ["exact"],
            "is_active": ["exact"],
        }
