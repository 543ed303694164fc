"""The file of refused rows: each as it came, with where and why before it."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.files.services import append_to_file, read_file, start_file
from customers.models import CustomerImport
from customers.services.importing.layouts import Layout
from customers.services.importing.plans import Plan
from customers.services.importing.requesting import KEEP_FOR, PURPOSE
from customers.services.importing.rows import FileRows
from customers.services.importing.writing import Refusal

_NUMBER = re.compile(r"[+-]?[\d\s().,-]*")
HEADER = ("line", "column", "reason")


def keep_refusals(job: CustomerImport, refusals: Sequence[Refusal]) -> None:
    """Write refused rows to the job's file, begun with the first of them. Saves the file, not the
    job."""
    if not refusals:
        return
    if job.refused_file is None and job.file is not None:
        job.refused_file = start_file(
            purpose=PURPOSE,
            name=f"refused-{job.file_name.rpartition('.')[0] or job.file_name}.csv",
            actor=Actor(job.requested_by),
            keep_for=KEEP_FOR,
            now=timezone.now(),
            content_type="text/csv",
        )
        header = FileRows(read_file(job.file), Plan.from_json(job.plan).layout).header
        # With a mark, or Excel takes it for Latin-1.
        append_to_file(job.refused_file, b"\xef\xbb\xbf" + _lines([[*HEADER, *header]]))
    assert job.refused_file is not None  # noqa: S101 - a job with rows has a file
    append_to_file(
        job.refused_file,
        _lines(
            [fault_line, fault.path, fault.message, *(cells if place == 0 else [])]
            for refusal in refusals
            for place, fault in enumerate(refusal.faults)
            for fault_line, cells in [(str(refusal.row.line), refusal.row.cells)]
        ),
    )


def read_refusals(job: CustomerImport, most: int | None = None) -> Iterator[dict[str, str]]:
    """Line, column and reason of each fault, in order, at most so many."""
    if job.refused_file is None:
        return
    for row in islice(_unchecked(read_file(job.refused_file)), most):
        yield dict(zip(HEADER, row, strict=False))


def _unchecked(pieces: Iterator[bytes]) -> Iterator[list[str]]:
    rows = FileRows(pieces, Layout())
    return (row.cells for row in rows)


def _lines(rows: object) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:  # type: ignore[attr-defined]
        writer.writerow([inert(cell) for cell in row])
    return out.getvalue().encode("utf-8", errors="replace")


def inert(cell: str) -> str:
    """The cell, so that no spreadsheet takes it for a formula. A number is none."""
    if cell[:1] in "=+-@\t\r" and cell and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
