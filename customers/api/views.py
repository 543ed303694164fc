"""Customers and what belongs to them, over HTTP."""

from crm_site.api.viewsets import TenantReadOnlyViewSet
from customers.api.filters import ActivityFilter
from customers.api.serializers import ActivitySerializer
from customers.models import Activity


class ActivityViewSet(TenantReadOnlyViewSet):
    """What happened to customers. Activities are created, never changed."""

    model = Activity
    scope = "customers"
    permission_model = "customers.activity"
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    ordering = "-occurred_at"
    ordering_fields = ("occurred_at",)
