"""Customers' rows as JSON."""

from crm_site.api.serializers import TenantModelSerializer
from customers.models import Activity


class ActivitySerializer(TenantModelSerializer):
    ignored_fields = frozenset({"sourceService"})  # Always ours, whatever is sent.

    class Meta:
        model = Activity
        fields = (
            "id",
            "customer",
            "type",
            "category",
            "channel",
            "title",
            "description",
            "metadata",
            "source_service",
            "source_id",
            "source_event_id",
            "occurred_at",
            "processed_at",
        )
        read_only_fields = ("source_service", "processed_at")
