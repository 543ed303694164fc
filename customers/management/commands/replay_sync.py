"""Replay events from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant
from customers.choices import SyncStatus
from customers.services.replaying import replay_events
from customers.tasks import nudge


class Command(BaseCommand):
    help = "Make failed (or skipped) events due again, all their attempts before them."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("tenant")
        parser.add_argument("--source", help="scl, teetime or messaging")
        parser.add_argument("--type", dest="event_type", help="as in booking.created")
        parser.add_argument(
            "--status",
            choices=[SyncStatus.FAILED, SyncStatus.SKIPPED],
            default=SyncStatus.FAILED,
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant_id = options["tenant"]
        if not Tenant.objects.filter(pk=tenant_id).exists():
            raise CommandError(f"There is no tenant {tenant_id!r}.")
        actor = Actor.system("replay_sync")
        with tenant_scope(tenant_id), acting_as(actor), transaction.atomic():
            count = replay_events(
                actor=actor,
                statuses=[options["status"]],
                source=options["source"],
                event_type=options["event_type"],
            )
            transaction.on_commit(lambda: nudge(tenant_id), robust=True)
        self.stdout.write(f"{count:,} events are due again.")
