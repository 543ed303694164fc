"""Put a restored backup right: who was erased since is erased again."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from crm_site.audit.actor import Actor
from crm_site.audit.commands import TenantCommand
from customers.services.erased import ErasureError
from customers.services.erasure_copy import copy_path, reapply


class Command(TenantCommand):
    help = "After going back to a backup: erase again who was erased since, by the copy outside it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        try:
            report = reapply(actor=actor, is_dry_run=options["dry_run"])
        except ErasureError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{copy_path()}: {report.known:,} erasures known, {report.added:,} added, "
            f"{report.erased_again:,} customers erased again"
            + (" (dry run: nothing was kept)" if options["dry_run"] else "")
        )
        for key in sorted(report.unknown_keys):
            self.stderr.write(f"Key {key} is missing from ERASURE_KEYS: its people are not known.")
        for pk in report.look_at:
            self.stderr.write(f"Customer {pk} has an identifier of somebody erased: look at them.")
