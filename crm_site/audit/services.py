"""Writing audit entries that carry a meaning."""

from typing import Any

from django.db import models

from crm_site.audit.actor import Actor
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import IP_ADDRESS, USER_AGENT, current_settings


def record(
    action: str,
    entity: models.Model,
    *,
    actor: Actor,
    changes: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> CrmAuditLog:
    """Add one entry about ``entity``, in the running transaction.

    For acts that a changed row does not tell by itself: MERGE, START, EXPORT, SIGN_IN.
    """
    told = current_settings()
    return CrmAuditLog.objects.create(
        action=action,
        entity_type=entity._meta.object_name or "",
        entity_id=str(entity.pk),
        changes=changes,
        metadata=metadata,
        performed_by=actor.id,
        ip_address=told.get(IP_ADDRESS) or None,
        user_agent=told.get(USER_AGENT) or None,
    )
