"""Import customers from the command line."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from crm_site.audit.actor import Actor
from crm_site.audit.commands import TenantCommand
from customers.services.importing import ImportFileError, ImportReport, import_customers


class Command(TenantCommand):
    help = "Make or update customers from a CSV with the data model's column names."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        is_dry_run = options["dry_run"]
        try:
            # utf-8-sig: spreadsheets begin a file with a byte order mark.
            with options["file"].open(encoding="utf-8-sig", newline="") as file:
                report = import_customers(file=file, actor=actor, is_dry_run=is_dry_run)
        except (OSError, ImportFileError) as error:
            raise CommandError(str(error)) from error
        self._tell(report, is_dry_run)

    def _tell(self, report: ImportReport, is_dry_run: bool) -> None:
        for row in report.refused:
            where = f"line {row.line}" + (f", {row.column}" if row.column else "")
            self.stderr.write(f"{where}: {row.reason}")
        told = ("created", "updated", "unchanged", "rejected")
        counts = ", ".join(f"{report.counts[status]:,} {status}" for status in told)
        self.stdout.write(counts + (" (dry run: nothing was kept)" if is_dry_run else ""))
