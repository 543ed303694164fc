"""Asking for an import, a check of one, or its undoing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.files.models import StoredFile
from crm_site.files.services import keep_file, read_file
from crm_site.jobs.models import JobStatus
from crm_site.jobs.services import request_job
from customers.choices import ImportKind
from customers.models import CustomerImport
from customers.services.importing.errors import ImportFileError
from customers.services.importing.layouts import Layout, detect_layout
from customers.services.importing.plans import (
    Plan,
    check_plan,
    guess_columns,
    guess_date_order,
    header_hash,
)
from customers.services.importing.rows import FileRows, SourceRow

PURPOSE = "customer-import"
KEEP_FOR = timedelta(days=30)  # The file, and for as long an import can be undone.
SAMPLE_ROWS = 100


class ImportError_(DomainError):
    """This cannot be done with this import."""


@dataclass(frozen=True)
class FirstLook:
    """What a file begins with: its header and first rows."""

    layout: Layout
    header: list[str]
    rows: list[SourceRow]


def keep_upload(*, name: str, chunks: Iterable[bytes], actor: Actor, now: datetime) -> StoredFile:
    """Keep an uploaded file for importing. Raises ImportFileError for one too big or empty."""
    limit = settings.UPLOAD_MAX_BYTES

    def bounded() -> Iterable[bytes]:
        given = 0
        for chunk in chunks:
            given += len(chunk)
            if given > limit:
                raise ImportFileError(too_big())
            yield chunk

    with transaction.atomic():
        file = keep_file(
            purpose=PURPOSE, name=name, chunks=bounded(), actor=actor, keep_for=KEEP_FOR, now=now
        )
        if not file.size:
            raise ImportFileError("The file is empty.")
    return file


def too_big() -> str:
    limit = settings.UPLOAD_MAX_BYTES // 1024**2
    return f"The file is too big: at most {limit:,} MB. Cut it in parts and import them one by one."


def look_at(file: StoredFile, layout: Layout | None = None) -> FirstLook:
    """The beginning of a file, in the given layout or the one it seems to have.

    Raises ImportFileError if it cannot be read at all.
    """
    layout = layout or detect_layout(read_file(file))
    source = FileRows(read_file(file), layout)
    rows = [row for row, _ in zip(source, range(SAMPLE_ROWS), strict=False)]
    return FirstLook(layout, source.header, rows)


def suggest_plan(look: FirstLook) -> tuple[Plan, CustomerImport | None]:
    """How the columns were mapped the last time a file with this header came, and when; else a
    guess by names and values."""
    past = CustomerImport.objects.filter(
        header_hash=header_hash(look.header), kind=ImportKind.IMPORT
    )
    last = past.order_by("-requested_at").first()
    if last is not None:
        said = {**last.plan, "layout": look.layout.to_json(), "addTags": []}
        return Plan.from_json(said), last
    samples: Sequence[Sequence[str]] = [row.cells for row in look.rows]
    columns = guess_columns(look.header, samples)
    order = guess_date_order(columns, samples)
    return Plan(columns=tuple(columns), layout=look.layout, date_order=order), None


def same_file_before(file: StoredFile) -> CustomerImport | None:
    """The last import of the very same bytes that changed anything, and was not undone since."""
    same = CustomerImport.objects.filter(file_hash=file.sha256, kind=ImportKind.IMPORT)
    ended = same.filter(status=JobStatus.SUCCESS).exclude(undoings__status=JobStatus.SUCCESS)
    return ended.order_by("-requested_at").first()


@transaction.atomic
def request_import(
    *, file: StoredFile, plan: Plan, actor: Actor, is_check: bool = False
) -> CustomerImport:
    """Put an import of a file in the queue, or a check that changes nothing. The caller nudges.

    Raises ImportFileError for a plan nobody could mean, or one that does not fit the file.
    """
    check_plan(plan)
    header = FileRows(read_file(file), plan.layout).header
    if len(plan.columns) != len(header):
        raise ImportFileError(
            f"The file has {len(header)} columns and the mapping {len(plan.columns)}.",
            path="columns",
        )
    return request_job(
        CustomerImport,
        actor=actor,
        kind=ImportKind.CHECK if is_check else ImportKind.IMPORT,
        file=file,
        file_name=file.name,
        file_hash=file.sha256,
        file_size=file.size,
        header_hash=header_hash(header),
        plan=plan.to_json(),
    )


@transaction.atomic
def request_undo(*, job: CustomerImport, actor: Actor, now: datetime) -> CustomerImport:
    """Put the undoing of an import in the queue. The caller nudges.

    Raises ImportError_ for one that has not ended, changed nothing, was undone, or is too old.
    """
    # Locked, so that two who press the button at once do not both undo it.
    held = CustomerImport.objects.select_for_update(no_key=True).get(pk=job.pk)
    if held.kind != ImportKind.IMPORT or held.is_open:
        raise ImportError_("Only an import that has ended can be undone.", code="not_undoable")
    if not held.has_changed_customers:
        raise ImportError_("This import changed nothing.", code="not_undoable")
    if held.requested_at < now - KEEP_FOR:
        raise ImportError_(
            f"An import can be undone for {KEEP_FOR.days} days.", code="not_undoable"
        )
    undoings = held.undoings.exclude(status__in=[JobStatus.FAILED, JobStatus.CANCELLED])
    if undoings.exists():
        raise ImportError_("It is being undone, or was already.", code="already_undone")
    return request_job(
        CustomerImport,
        actor=actor,
        kind=ImportKind.UNDO,
        undoes=held,
        file_name=held.file_name,
        file_hash=held.file_hash,
        file_size=held.file_size,
        header_hash=held.header_hash,
        plan=held.plan,
    )
