"""Tasks that work for one tenant."""

from typing import Any

from celery import Task

from crm_site.tenancy.context import local_settings, tenant_scope


class TenantTask(Task):
    """A task whose first argument is the tenant id; its body runs in that tenant's scope.

    The body opens its own transactions, short ones. What it changes is audited as done by
    ``system:<task name>``.
    """

    abstract = True

    def __call__(self, tenant_id: str, *args: Any, **kwargs: Any) -> Any:
        with tenant_scope(tenant_id), local_settings(actor=f"system:{self.name}"):
            return self.run(tenant_id, *args, **kwargs)
