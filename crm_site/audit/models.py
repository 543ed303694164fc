"""Who changed what."""

from django.db import models
from django.utils import timezone

from crm_site.tenancy.base import TenantModel


class CrmAuditLog(TenantModel):
    """One change of one row, or one act that a service names (MERGE, START, EXPORT …).

    Changes are written by triggers in the database, so a bulk update or a task leaves them too.
    Computed counters and scores, and secrets, are not here on purpose. The runtime role may add
    rows and never change or remove them.
    """

    entity_type = models.CharField(max_length=64, help_text="The model: CustomerProfile.")
    entity_id = models.CharField(max_length=64)
    action = models.CharField(max_length=32, help_text="CREATE, UPDATE, DELETE, RESTORE, MERGE …")
    changes = models.JSONField(
        null=True, blank=True, help_text='{"city": {"old": "Durban", "new": "Cape Town"}}'
    )
    metadata = models.JSONField(null=True, blank=True, help_text="More about the act.")
    performed_by = models.CharField(
        max_length=100, help_text="user:<id>, key:<prefix> or system:<task>."
    )
    performed_at = models.DateTimeField(default=timezone.now)
    ip_address = models.GenericIPAddressField(null=True, blank=True, unpack_ipv4=True)
    user_agent = models.TextField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["tenant", "entity_type", "entity_id"], name="audit_entity"),
            models.Index(fields=["tenant", "-performed_at", "-id"], name="audit_performed"),
            models.Index(fields=["tenant", "action"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type}"
