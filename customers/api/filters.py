"""What lists of customers' rows may be filtered by."""

from crm_site.api.filters import TenantFilterSet
from customers.models import Activity

RANGE = ["gte", "gt", "lte", "lt"]


class ActivityFilter(TenantFilterSet):
    class Meta:
        model = Activity
        fields = {
            "customer": ["exact"],
            "type": ["exact", "in"],
            "category": ["exact", "in"],
            "channel": ["exact"],
            "source_service": ["exact"],
            "source_id": ["exact"],
            "source_event_id": ["exact"],
            "occurred_at": RANGE,
        }
