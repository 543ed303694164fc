"""Replay events from the command line."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.audit.commands import TenantCommand
from crm_site.tenancy.context import require_tenant_id
from customers.choices import SyncStatus
from customers.services.replaying import replay_events
from customers.tasks import nudge


class Command(TenantCommand):
    help = "Make failed (or skipped) events due again, all their attempts before them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--source", help="scl, teetime or messaging")
        parser.add_argument("--type", dest="event_type", help="as in booking.created")
        parser.add_argument(
            "--status",
            choices=[SyncStatus.FAILED, SyncStatus.SKIPPED],
            default=SyncStatus.FAILED,
        )

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        tenant_id = require_tenant_id()
        with transaction.atomic():
            count = replay_events(
                actor=actor,
                statuses=[options["status"]],
                source=options["source"],
                event_type=options["event_type"],
            )
            transaction.on_commit(lambda: nudge(tenant_id), robust=True)
        self.stdout.write(f"{count:,} events are due again.")
