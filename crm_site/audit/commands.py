"""Management commands that work for one tenant."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant


class TenantCommand(BaseCommand):
    """A command whose first argument is the tenant; ``work`` runs in that tenant's scope.

    ``work`` opens its own transactions. What it changes is audited as done by
    ``system:<command>``.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="Its id in addresses and events: oakhill")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant_id = options["tenant"]
        if not Tenant.objects.filter(pk=tenant_id).exists():
            raise CommandError(f"There is no tenant {tenant_id!r}.")
        actor = Actor.system(type(self).__module__.rpartition(".")[2])
        with tenant_scope(tenant_id), acting_as(actor):
            self.work(actor, options)

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        raise NotImplementedError
