"""Carrying out an import in the background, batch by batch."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db import models, transaction
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.db.rows import insert_rows
from crm_site.files.services import read_file
from crm_site.jobs.services import JobLostError, Reporter
from crm_site.tenancy.context import local_settings
from customers.choices import ImportKind
from customers.models import CustomerImport, ImportBatch, ImportChange
from customers.services.facts import PersonFacts, country_in_scope
from customers.services.importing.errors import ImportFileError
from customers.services.importing.plans import Plan
from customers.services.importing.reading import RowReader
from customers.services.importing.refusals import keep_refusals
from customers.services.importing.rows import FileRows, SourceRow
from customers.services.importing.undoing import undo_import
from customers.services.importing.writing import BatchOutcome, write_batch

# One transaction, during which others wait with new identifiers: a second or two.
BATCH_ROWS = 2_000


def work_on_import(job: CustomerImport, report: Reporter) -> None:
    """What the task ``customers.run_import`` does with one job.

    Each batch of rows is a transaction of its own, so that others get their turn; what was done
    when it is cancelled or breaks off stays, is counted, and can be undone.
    """
    with transaction.atomic():  # Between transactions nothing more can be looked up.
        models.prefetch_related_objects([job], "file", "refused_file", "undoes")
    if job.kind == ImportKind.UNDO:
        undo_import(job, report)
    elif job.kind == ImportKind.CHECK:
        _go_through(job, report)
    else:
        try:
            _go_through(job, report)
        except JobLostError:
            raise  # Whoever has the job now tells of it.
        except Exception:
            _record(job)
            raise
        _record(job)


def _go_through(job: CustomerImport, report: Reporter) -> None:
    if job.file is None:
        raise ImportFileError("The file is not kept any more. Upload it once more.")
    plan = Plan.from_json(job.plan)
    with transaction.atomic():
        country = country_in_scope()
    reader, source = RowReader(plan, country=country), FileRows(read_file(job.file), plan.layout)
    rows = iter(source)
    # Another worker came so far before it died.
    skipped = sum(1 for _ in islice(rows, job.done_rows))
    seen: set[int] = set()
    report(0, "Reading the file" if not skipped else f"Going on after row {skipped:,}")
    for batch in _batches(rows):
        now = timezone.now()
        if job.kind == ImportKind.CHECK:
            outcome = _check(batch, job, reader, plan, seen, now)
        else:
            outcome = _import(batch, job, report, reader, plan, now)
        done = job.done_rows
        verb = "checked" if job.kind == ImportKind.CHECK else "imported"
        report(min(source.given / max(job.file_size, 1), 0.999), f"{done:,} rows {verb}")
        del outcome
    if not job.done_rows:
        raise ImportFileError("The file has a header and nothing below it.")


def _batches(rows: Iterator[SourceRow]) -> Iterator[list[SourceRow]]:
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def _import(
    batch: list[SourceRow],
    job: CustomerImport,
    report: Reporter,
    reader: RowReader,
    plan: Plan,
    now: datetime,
) -> BatchOutcome:
    # One audit row tells of the whole import instead of one for each customer.
    with transaction.atomic(), local_settings(audit="off"):
        report.hold()
        outcome = write_batch(batch, reader=reader, plan=plan, now=now)
        if outcome.created or outcome.changes:
            ImportBatch.objects.create(
                job=job,
                first_row=job.done_rows,
                created_ids=outcome.created,
                started_at=now,
                written_at=timezone.now(),
            )
        insert_rows(
            [
                ImportChange(job=job, customer_id=pk, changes=changes)
                for pk, changes in outcome.changes.items()
            ]
        )
        _count(job, outcome, len(batch))
    return outcome


def _check(
    batch: list[SourceRow],
    job: CustomerImport,
    reader: RowReader,
    plan: Plan,
    seen: set[int],
    now: datetime,
) -> BatchOutcome:
    """The same, taken back. ``seen`` knows whom earlier batches would have made."""
    with transaction.atomic(), local_settings(audit="off"):
        with transaction.atomic():
            outcome = write_batch(batch, reader=reader, plan=plan, now=now)
            transaction.set_rollback(True)
        repeats = 0
        for facts, status in outcome.people:
            keys = _keys(facts)
            if status == "created" and not seen.isdisjoint(keys):
                repeats += 1
            if status == "created":
                seen.update(keys)
        outcome.counts["created"] -= repeats
        outcome.counts["updated"] += repeats
        _count(job, outcome, len(batch))
    return outcome


def _keys(facts: PersonFacts) -> set[int]:
    return {hash(item) for item in facts.identifiers.items()}


def _count(job: CustomerImport, outcome: BatchOutcome, rows: int) -> None:
    keep_refusals(job, outcome.refusals)
    for status in ("created", "updated", "unchanged", "refused"):
        name = f"{status}_count"
        setattr(job, name, getattr(job, name) + outcome.counts[status])
    job.done_rows += rows
    job.save(
        update_fields=[
            *("created_count", "updated_count", "unchanged_count", "refused_count"),
            *("done_rows", "refused_file"),
        ]
    )


@transaction.atomic
def _record(job: CustomerImport) -> None:
    """One audit entry for the whole import."""
    if not job.done_rows:
        return
    counts = {
        "created": job.created_count,
        "updated": job.updated_count,
        "unchanged": job.unchanged_count,
        "refused": job.refused_count,
    }
    audit.record(
        "IMPORT",
        job,
        actor=Actor(job.requested_by),
        metadata={
            "file": job.file_name,
            "sha256": job.file_hash,
            **{name: count for name, count in counts.items() if count},
        },
    )
