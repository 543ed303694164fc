"""Asking for long work, running it, cancelling it, and taking it up again when a worker died.

A job's task is three lines (docs/architecture.md, "Long work")::

    @shared_task(name="customers.run_import", base=TenantTask)
    def run_import(tenant_id: str, job_id: str) -> str | None:
        return run_job(CustomerImport, UUID(job_id), import_file)

The work gets the job and a ``Reporter``. It runs in transactions of its own, short ones, and calls
``report(0.4, "Matching people")`` between them. It may be run again after a worker died, so it goes
on from what it has written on its job, or starts over where that does no harm.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from crm_site.audit.actor import Actor, acting_as
from crm_site.errors import NOT_FOUND, DomainError
from crm_site.jobs.models import Job, JobStatus

logger = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong on our side. It has been noted; please try once more."
WORKER_LOST = "The work was cut short {times} times before it ended. Please try once more."


class JobError(DomainError):
    """This cannot be asked of this job."""


class JobCancelled(Exception):
    """Somebody asked for the work to stop."""


class JobLostError(Exception):
    """The job was given to another worker meanwhile: whatever this one still does is too much."""


JobType = TypeVar("JobType", bound=Job)


@transaction.atomic
def request_job(model: type[JobType], *, actor: Actor, **values: Any) -> JobType:
    """Put a job in the queue; ``values`` are the model's own fields. The caller then nudges it.

    Raises JobError where the tenant may have only one open (``one_open``) and has.
    """
    job = model(requested_by=actor.id, **values)
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError as error:
        if not model.objects.open().exists():
            raise
        message = f"A {model._meta.verbose_name} is under way already."
        raise JobError(message, code="already_running") from error
    return job


class Reporter:
    """How the work speaks of itself. Each call is a short transaction of its own."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._attempt = job.attempt_count

    def __call__(self, progress: float, stage: str, **values: Any) -> None:
        """Keep how far it is (0 to 1) and what it does now, and renew the lease.

        ``values`` are fields of the job to keep beside. Raises JobCancelled if that was asked for,
        JobLostError if the job is another worker's by now. Not inside a transaction.
        """
        job = self._job
        with transaction.atomic(durable=True):
            is_cancelled = self.hold()
            values |= {"progress": min(max(progress, 0.0), 1.0), "stage": stage[:200]}
            for name, value in values.items():
                setattr(job, name, value)
            job.leased_until = timezone.now() + job.lease
            job.save(update_fields=[*values, "leased_until"])
        if is_cancelled:
            raise JobCancelled

    def hold(self) -> bool:
        """Keep the job for the rest of the work's own transaction: nobody takes it away meanwhile,
        so what is written in it is written by one worker only.

        Returns whether cancelling was asked for. Raises JobLostError if it is another's already.
        """
        # A key share lets others ask for cancelling meanwhile, but not give the job to somebody.
        statement = (
            f'SELECT cancel_requested_at IS NOT NULL FROM "{self._job._meta.db_table}" '  # noqa: S608
            "WHERE id = %s AND status = 'RUNNING' AND attempt_count = %s FOR KEY SHARE"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [self._job.pk, self._attempt])
            row = cursor.fetchone()
        if row is None:
            raise JobLostError
        return bool(row[0])


Work = Callable[[Any, Reporter], None]


def run_job(model: type[Job], job_id: UUID, work: Work) -> str | None:
    """Claim a waiting job and carry it out; returns its status at the end, None if not ours.

    What the work changes is audited as done by whoever asked for it. A DomainError becomes the
    job's ``error`` in its own words; any other is logged and becomes plain ones.
    """
    job = _claim(model, job_id)
    if job is None:
        return None
    try:
        with acting_as(Actor(job.requested_by)):
            work(job, Reporter(job))
    except JobLostError:
        logger.warning("%s %s went to another worker.", model.__name__, job_id)
        return None
    except JobCancelled:
        return _finish(job, JobStatus.CANCELLED)
    except DomainError as error:
        return _finish(job, JobStatus.FAILED, error.message)
    except Exception:  # - the last to hear of it; the job tells the person
        logger.exception("%s %s failed.", model.__name__, job_id)
        return _finish(job, JobStatus.FAILED, UNEXPECTED)
    return _finish(job, JobStatus.SUCCESS)


@transaction.atomic
def _claim(model: type[JobType], job_id: UUID) -> JobType | None:
    now = timezone.now()
    waiting = model.objects.waiting().filter(pk=job_id)
    try:
        with transaction.atomic():
            claimed = waiting.update(
                status=JobStatus.RUNNING,
                started_at=now,
                attempt_count=F("attempt_count") + 1,
                leased_until=now + model.lease,
            )
    except IntegrityError:  # Another of this tenant runs (``one_running``); it comes after that.
        return None
    return model.objects.get(pk=job_id) if claimed else None


@transaction.atomic
def _finish(job: Job, status: JobStatus, error: str | None = None) -> str | None:
    """End the claim; None if the job is another worker's by now."""
    claim = type(job).objects.running().filter(pk=job.pk, attempt_count=job.attempt_count)
    values: dict[str, Any] = {
        **{"status": status, "error": error, "finished_at": timezone.now(), "leased_until": None},
        **({"progress": 1.0, "stage": ""} if status == JobStatus.SUCCESS else {}),
    }
    for name, value in values.items():
        setattr(job, name, value)
    return str(status) if claim.update(**values) else None


@transaction.atomic
def cancel_job(model: type[JobType], job_id: UUID) -> JobType:
    """Stop a job: at once while it waits, at its next report while it runs. Harmless twice.

    Raises JobError if there is none, or if it has ended already.
    """
    job = model.objects.select_for_update(no_key=True).filter(pk=job_id).first()
    if job is None:
        raise JobError("There is no such job.", code=NOT_FOUND)
    if job.status == JobStatus.CANCELLED or job.is_being_cancelled:
        return job
    if not job.is_open:
        raise JobError("It has ended already.", code="already_ended")
    now = timezone.now()
    job.cancel_requested_at = now
    if job.status == JobStatus.PENDING:
        job.status, job.finished_at = JobStatus.CANCELLED, now
    job.save(update_fields=["cancel_requested_at", "status", "finished_at"])
    return job


@transaction.atomic
def recover_jobs(model: type[Job], *, now: datetime) -> int:
    """Give back jobs whose worker is gone; after ``max_attempts`` they fail. Returns how many."""
    lost = list(model.objects.abandoned(now).select_for_update(skip_locked=True))
    for job in lost:
        job.leased_until = None
        if job.cancel_requested_at is not None:
            job.status, job.finished_at = JobStatus.CANCELLED, now
        elif job.attempt_count >= model.max_attempts:
            job.status, job.finished_at = JobStatus.FAILED, now
            job.error = WORKER_LOST.format(times=job.attempt_count)
        else:
            job.status = JobStatus.PENDING
        job.save(update_fields=["status", "finished_at", "error", "leased_until"])
    return len(lost)
