"""Writing a list of customers as CSV or XLSX, some thousand at a time."""

import csv
import io
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.files.models import StoredFile
from crm_site.files.services import append_to_file, keep_file, read_file, start_file
from crm_site.jobs.services import Reporter
from customers.choices import ExportFormat
from customers.models import CustomerExport, CustomerProfile
from customers.services.export_columns import COLUMNS
from customers.services.inert import cell

BATCH_SIZE = 4_096  # Divides a piece of the selection evenly.
PIECE = 1024 * 1024
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write_list(
    job: CustomerExport, report: Reporter, *, purpose: str, keep_for: timedelta, actor: Actor
) -> StoredFile:
    """The file of a list export; counts on the job whom it holds. Who was erased since is not."""
    stamp = timezone.now()
    name = f"customers-{stamp:%Y-%m-%d-%H%M}.{job.format.lower()}"
    batches = _batches(job, report)
    if job.format == ExportFormat.XLSX:
        return _write_xlsx(job, batches, purpose, name, keep_for, actor, stamp)
    with transaction.atomic():
        file = start_file(
            purpose=purpose, name=name, actor=actor, keep_for=keep_for, now=stamp,
            content_type="text/csv; charset=utf-8",
        )  # fmt: skip
        # The mark tells Excel that this is UTF-8.
        append_to_file(file, _as_csv([job.columns]).encode("utf-8-sig"))
    job.row_count = 0
    for rows in batches:
        with transaction.atomic():
            report.hold()
            append_to_file(file, _as_csv(rows).encode())
        job.row_count += len(rows)
    return file


def _as_csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _write_xlsx(
    job: CustomerExport,
    batches: Iterator[list[list[str]]],
    purpose: str,
    name: str,
    keep_for: timedelta,
    actor: Actor,
    stamp: datetime,
) -> StoredFile:
    from openpyxl import Workbook  # Not for the web process to carry.
    from openpyxl.cell import WriteOnlyCell

    def line(values: list[str]) -> list[Any]:
        cells = [WriteOnlyCell(sheet, value=value) for value in values]
        for each in cells:
            each.data_type = "s"  # Text, whatever it begins with.
        return cells

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Customers")
    sheet.append(line(job.columns))
    job.row_count = 0
    for rows in batches:
        for row in rows:
            sheet.append(line(row))
        job.row_count += len(rows)
    whole: IO[bytes]
    with tempfile.TemporaryFile() as whole:
        book.save(whole)
        whole.seek(0)
        with transaction.atomic():
            return keep_file(
                purpose=purpose, name=name, chunks=iter(lambda: whole.read(PIECE), b""),
                actor=actor, keep_for=keep_for, now=stamp, content_type=XLSX_TYPE,
            )  # fmt: skip


def _batches(job: CustomerExport, report: Reporter) -> Iterator[list[list[str]]]:
    """Cells of some thousand customers at a time, in the list's order."""
    with transaction.atomic():
        selection = job.selection
    if selection is None:
        return
    total, done = selection.size // 16, 0
    fields = [COLUMNS[name] for name in job.columns]
    for ids in _ids(selection):
        report(done / total, f"{done:,} of {total:,} customers")
        with transaction.atomic():
            people = CustomerProfile.objects.filter(pk__in=ids, erased_at__isnull=True)
            by_id = {pk: values for pk, *values in people.values_list("pk", *fields)}
        yield [[cell(value) for value in by_id[pk]] for pk in ids if pk in by_id]
        done += len(ids)


def _ids(selection: StoredFile) -> Iterator[list[UUID]]:
    for piece in read_file(selection):
        ids = [UUID(bytes=piece[start : start + 16]) for start in range(0, len(piece), 16)]
        for start in range(0, len(ids), BATCH_SIZE):
            yield ids[start : start + BATCH_SIZE]
