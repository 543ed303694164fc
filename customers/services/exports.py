"""Asking for files of customers, and writing them (``CustomerExport``)."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm_site.access.services import tenant_in_scope
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError
from crm_site.files.models import StoredFile
from crm_site.files.services import keep_file
from crm_site.jobs.services import JobCancelled, Reporter, request_job
from customers.choices import ExportFormat, ExportKind
from customers.models import CustomerExport, CustomerProfile
from customers.services.export_columns import COLUMNS, USUAL_COLUMNS
from customers.services.export_list import write_list
from customers.services.holdings import subject_of
from customers.services.telling import tell_as_zip

KEPT_FOR = timedelta(days=3)
SELECTION, FILE = "customer-selection", "customer-export"
ID_BYTES, READ_AT_ONCE = 16, 20_000
PIECE = 1024 * 1024
# Excel's own limit, with its header.
MOST_IN_XLSX = 1_048_575


class ExportError(DomainError):
    """This cannot be exported like this."""


@transaction.atomic
def request_list_export(
    *,
    people: QuerySet[CustomerProfile],
    filters: Mapping[str, Any],
    actor: Actor,
    columns: Collection[str] = USUAL_COLUMNS,
    format: str = ExportFormat.CSV,
) -> CustomerExport:
    """Ask for a file of these customers, in this order, as they are when it is written.

    ``people`` is any query of the tenant's customers; who matches is decided now. ``filters`` says
    in words of the page what it was narrowed by. The caller nudges the job. Raises ExportError for
    an unknown column or format, nobody, or more than the format holds.
    """
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or not columns:
        message = (
            f"There is no column {unknown[0]!r}." if unknown else "Choose at least one column."
        )
        raise ExportError(message, path="columns", code="unknown_column")
    if format not in {ExportFormat.CSV, ExportFormat.XLSX}:
        raise ExportError("CSV or XLSX.", path="format", code="invalid_choice")
    now = timezone.now()
    selection = keep_file(
        purpose=SELECTION, name="selection", chunks=_ids(people), actor=actor,
        keep_for=KEPT_FOR, now=now,
    )  # fmt: skip
    count = selection.size // ID_BYTES
    if not count:
        raise ExportError("Nobody is in this list, so there is nothing to export.", code="empty")
    if format == ExportFormat.XLSX and count > MOST_IN_XLSX:
        message = f"An Excel file holds {MOST_IN_XLSX:,} customers; these are {count:,}. Use CSV."
        raise ExportError(message, path="format", code="too_many")
    return request_job(
        CustomerExport,
        actor=actor,
        kind=ExportKind.LIST,
        format=format,
        columns=list(dict.fromkeys(columns)),
        filters=dict(filters),
        selection=selection,
        row_count=count,
    )


def _ids(people: QuerySet[CustomerProfile]) -> Iterator[bytes]:
    piece = bytearray()
    for pk in people.values_list("pk", flat=True).iterator(chunk_size=READ_AT_ONCE):
        piece += pk.bytes
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


@transaction.atomic
def request_person_export(*, customer_id: UUID, actor: Actor) -> CustomerExport:
    """Ask for everything held about one customer, as a page to read and as JSON.

    Private notes are in it for their author alone, so only who asked may have it. The caller nudges
    the job. Raises ExportError for one who is not there, or was erased.
    """
    profile = exportable(customer_id)
    return request_job(
        CustomerExport,
        actor=actor,
        kind=ExportKind.PERSON,
        format=ExportFormat.ZIP,
        customer=profile,
        row_count=1,
    )


def exportable(customer_id: UUID) -> CustomerProfile:
    """The customer whose data may be told, deleted or not. Raises ExportError for nobody's."""
    profile = CustomerProfile.objects.filter(pk=customer_id).defer("search_vector").first()
    if profile is None or profile.erased_at is not None:
        raise ExportError("There is no such customer.", code=NOT_FOUND)
    return profile


def may_have(export: CustomerExport, actor: Actor) -> bool:
    """Whether the file may be given to this actor, who may export at all."""
    return export.kind == ExportKind.LIST or export.requested_by == actor.id


def finished_file(export: CustomerExport) -> StoredFile:
    """The file. Raises ExportError where it is not written yet, or its time is over."""
    if export.file is None:
        raise ExportError("The file is not there, or no longer. Export anew.", code=NOT_FOUND)
    return export.file


def run_export(job: CustomerExport, report: Reporter) -> None:
    """The work of the job. It starts over if a worker died in it."""
    actor = Actor(job.requested_by)
    if job.kind == ExportKind.PERSON:
        _write_person(job, report, actor)
    else:
        file = write_list(job, report, purpose=FILE, keep_for=KEPT_FOR, actor=actor)
        with transaction.atomic():
            if report.hold():  # Somebody was erased while it was written.
                raise JobCancelled
            job.file = file
            job.save(update_fields=["file", "row_count"])
            _note(job, actor)


def _write_person(job: CustomerExport, report: Reporter, actor: Actor) -> None:
    report(0.1, "Reading everything held")
    now = timezone.now()
    with transaction.atomic():
        report.hold()
        profile = exportable(job.customer_id)  # type: ignore[arg-type]
        subject = subject_of(profile, viewer=actor.id)
        with tell_as_zip(subject, now=now, club=tenant_in_scope().name) as told:
            job.file = keep_file(
                purpose=FILE,
                name=f"customer-{profile.pk}.zip",
                chunks=iter(lambda: told.read(PIECE), b""),
                actor=actor,
                keep_for=KEPT_FOR,
                now=now,
                content_type="application/zip",
            )
        job.save(update_fields=["file"])
        audit.record("EXPORT", profile, actor=actor, metadata={"format": job.format})


def _note(job: CustomerExport, actor: Actor) -> None:
    metadata = {
        "customers": job.row_count,
        "columns": job.columns,
        "format": job.format,
        "filters": {name: _shown(name, value) for name, value in job.filters.items()},
    }
    audit.record("EXPORT", job, actor=actor, metadata=metadata)


# What was typed to find somebody may be who they are; the audit log is for ever.
TYPED = ("q", "search", "email", "phone", "name")


def _shown(name: str, value: Any) -> Any:
    is_typed = any(part in name.lower() for part in TYPED) and not name.endswith("OptIn")
    return "…" if is_typed else value
