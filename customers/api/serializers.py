"""Customers' rows as JSON."""

from crm_site.api.serializers import TenantModelSerializer
from customers.models import Activity, CustomerNote


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


class NoteSerializer(TenantModelSerializer):
    class Meta:
        model = CustomerNote
        fields = (
            "id",
            "customer",
            "type",
            "content",
            "is_pinned",
            "is_private",
            "created_at",
            "updated_at",
            "created_by",
            "updated_by",
        )


class NoteOfCustomerSerializer(NoteSerializer):
    """A note under its customer's own address, which names the customer already."""

    class Meta(NoteSerializer.Meta):
        read_only_fields = ("customer",)


class NoteChangeSerializer(NoteOfCustomerSerializer):
    """A note stays with its customer."""
