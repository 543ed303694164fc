"""Base of every table that belongs to a tenant."""

from typing import Any

from django.db import models

from crm_site.db.base import IdModel
from crm_site.tenancy.context import current_tenant_id, require_tenant_id


class TenantManager(models.Manager[Any]):
    """Rows of the tenant in scope; raises ``NoTenantError`` when there is none."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(tenant_id=require_tenant_id())


def tenant_managers(queryset: type[models.QuerySet[Any]] = models.QuerySet) -> tuple[Any, Any]:
    """``objects, all_tenants`` for a model, both speaking the language of ``queryset``.

    ``all_tenants`` does not filter by itself and is the default manager, since Django's internals
    need one that never raises; row-level security still shows it one tenant at a time.
    """
    plain = models.Manager.from_queryset(queryset)
    return TenantManager.from_queryset(queryset)(), plain()


class TenantModel(IdModel):
    """A row of one tenant. A new row takes the tenant in scope."""

    tenant = models.ForeignKey(
        "tenancy.Tenant",
        models.PROTECT,
        related_name="+",
        db_index=False,  # Every index that serves a list already starts with the tenant.
        default=current_tenant_id,
        editable=False,
    )

    objects, all_tenants = tenant_managers()

    class Meta:
        abstract = True
        default_manager_name = "all_tenants"
        base_manager_name = "all_tenants"
