"""Import customers from the command line."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.audit.commands import TenantCommand
from crm_site.jobs.models import JobStatus
from crm_site.jobs.services import run_job
from customers.models import CustomerImport
from customers.services.importing.errors import ImportFileError
from customers.services.importing.plans import Plan
from customers.services.importing.refusals import read_refusals
from customers.services.importing.requesting import keep_upload, look_at, request_import
from customers.services.importing.working import work_on_import

CHUNK_BYTES = 1024 * 1024


class Command(TenantCommand):
    help = "Make or update customers from a CSV with the data model's column names."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        is_dry_run = options["dry_run"]
        try:
            job_id = _request(options["file"], actor, is_check=is_dry_run)
        except (OSError, ImportFileError) as error:
            raise CommandError(str(error)) from error
        status = run_job(CustomerImport, job_id, work_on_import)
        with transaction.atomic():
            job = CustomerImport.objects.select_related("refused_file").get(pk=job_id)
        if status is None:
            raise CommandError("Another import is running; this one is queued after it.")
        self._tell(job, is_dry_run)
        if status != JobStatus.SUCCESS:
            raise CommandError(job.error or "It was cancelled.")

    def _tell(self, job: CustomerImport, is_dry_run: bool) -> None:
        for row in read_refusals(job):
            where = f"line {row['line']}" + (f", {row['column']}" if row["column"] else "")
            self.stderr.write(f"{where}: {row['reason']}")
        told = ("created", "updated", "unchanged")
        counts = ", ".join(f"{getattr(job, f'{name}_count'):,} {name}" for name in told)
        kept = " (dry run: nothing was kept)" if is_dry_run else ""
        self.stdout.write(f"{counts}, {job.refused_count:,} rejected{kept}")


def _request(path: Path, actor: Actor, *, is_check: bool) -> UUID:
    with transaction.atomic(), path.open("rb") as source:
        chunks = iter(lambda: source.read(CHUNK_BYTES), b"")
        file = keep_upload(name=path.name, chunks=chunks, actor=actor, now=timezone.now())
        look = look_at(file)
        # The columns are named as the fields are; anything else is a slip of the pen.
        plan = Plan(columns=tuple(look.header), layout=look.layout)
        return request_import(file=file, plan=plan, actor=actor, is_check=is_check).pk
