"""Import customers from the command line."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant
from customers.services.importing import ImportFileError, import_customers


class Command(BaseCommand):
    help = "Make or update customers from a CSV with the data model's column names."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("tenant")
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Tenant.objects.filter(pk=options["tenant"]).exists():
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        actor = Actor.system("import_customers")
        try:
            # utf-8-sig: spreadsheets begin a file with a byte order mark.
            with (
                options["file"].open(encoding="utf-8-sig", newline="") as file,
                tenant_scope(options["tenant"]),
                acting_as(actor),
            ):
                report = import_customers(file=file, actor=actor, is_dry_run=options["dry_run"])
        except (OSError, ImportFileError) as error:
            raise CommandError(str(error)) from error
        for row in report.refused:
            where = f"line {row.line}" + (f", {row.column}" if row.column else "")
            self.stderr.write(f"{where}: {row.reason}")
        told = ("created", "updated", "unchanged", "rejected")
        counts = ", ".join(f"{report.counts[status]:,} {status}" for status in told)
        self.stdout.write(f"{counts}{' (dry run: nothing was kept)' * options['dry_run']}")
