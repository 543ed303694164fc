"""The audit log, to read."""

from crm_site.api.filters import TenantFilterSet
from crm_site.api.serializers import TenantModelSerializer
from crm_site.api.viewsets import TenantReadOnlyViewSet
from crm_site.audit.models import CrmAuditLog


class AuditLogSerializer(TenantModelSerializer):
    class Meta:
        model = CrmAuditLog
        fields = (
            "id",
            "entity_type",
            "entity_id",
            "action",
            "changes",
            "metadata",
            "performed_by",
            "performed_at",
            "ip_address",
            "user_agent",
        )


class AuditLogFilter(TenantFilterSet):
    class Meta:
        model = CrmAuditLog
        fields = {
            "entity_type": ["exact"],
            "entity_id": ["exact"],
            "action": ["exact"],
            "performed_by": ["exact"],
            "performed_at": ["gte", "gt", "lte", "lt"],
        }


class AuditLogViewSet(TenantReadOnlyViewSet):
    """Who changed what, and when."""

    model = CrmAuditLog
    scope = "audit"
    permission_model = "audit.crmauditlog"
    serializer_class = AuditLogSerializer
    filterset_class = AuditLogFilter
    ordering = "-performed_at"
    ordering_fields = ("performed_at",)
