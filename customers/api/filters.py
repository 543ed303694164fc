"""What lists of customers' rows may be filtered by."""

from crm_site.api.filters import TenantFilterSet
from customers.models import Activity, CustomerNote

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


class NoteFilter(TenantFilterSet):
    class Meta:
        model = CustomerNote
        fields = {
            "customer": ["exact"],
            "type": ["exact", "in"],
            "is_pinned": ["exact"],
            "is_private": ["exact"],
            "created_by": ["exact"],
            "created_at": RANGE,
            "updated_at": RANGE,
        }
