"""Work on customers that nobody waits for."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.jobs.services import run_job
from crm_site.jobs.tasks import nudge_on_commit
from crm_site.tenancy.celery import TenantTask
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant
from crm_site.tenancy.services import active_tenant_ids
from customers.models import (
    BulkMerge,
    CustomerExport,
    CustomerImport,
    DuplicateScan,
    ScoreTraining,
    SyncLog,
    Tagging,
)
from customers.services import bulk_merging, counters, erasure_copy, exports, retention
from customers.services.duplicate_scans import due_scan, request_scan, run_scan
from customers.services.importing.working import work_on_import
from customers.services.mass_tagging import work_on_tagging
from customers.sync.processing import BATCH_SIZE, lock_processing, process_batch

# Outlives the wait for a batch; shorter than anybody's patience, should a worker die with it.
NUDGE_SECONDS = 15
# Scores are renewed from this hour of the club's own night on, so that morning finds them.
NIGHT_HOUR = 2
DONE_SECONDS = 26 * 3600


def _nudge_key(tenant_id: str) -> str:
    return f"customers.process_events:{tenant_id}"


def nudge(tenant_id: str) -> None:
    """Have a tenant's events processed soon; one waiting task a tenant is enough.

    Call after commit. The task takes the mark away once it is its turn and before it looks for
    events, so whoever finds the mark knows that a look is still to come.
    """
    if cache.add(_nudge_key(tenant_id), 1, NUDGE_SECONDS):
        process_events.delay(tenant_id)


@shared_task(name="customers.process_events", base=TenantTask)
def process_events(tenant_id: str) -> int:
    """Process one batch of a tenant's due events; queues another where more wait.

    One batch a task, so that a tenant with a backlog takes turns with the others.
    """
    with transaction.atomic():
        lock_processing()
        cache.delete(_nudge_key(tenant_id))
        settled = process_batch(now=timezone.now())
    if settled == BATCH_SIZE:
        nudge(tenant_id)
    return settled


@shared_task(name="customers.process_due")
def process_due() -> int:
    """Every few seconds: nudge tenants with due events. Returns how many."""
    nudged = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            is_waiting = SyncLog.objects.due(timezone.now()).exists()
        if is_waiting:
            nudge(tenant_id)
            nudged += 1
    return nudged


def _done_key(work: str, tenant_id: str, day: date) -> str:
    return f"customers.{work}:{tenant_id}:{day}"


def _tenants_due(work: str, *, now: datetime, from_hour: int) -> Iterator[tuple[str, str]]:
    """Tenants whose clock shows ``from_hour`` or later and that had no such work today.

    Each with its day. What was done is only noted in the cache: forgotten, it is done again.
    """
    for tenant_id, zone in Tenant.objects.filter(is_active=True).values_list("pk", "time_zone"):
        local = now.astimezone(ZoneInfo(zone))
        day = local.date()
        if local.hour >= from_hour and not cache.get(_done_key(work, tenant_id, day)):
            yield tenant_id, day.isoformat()


def _note_done(work: str, tenant_id: str, day: str | None) -> None:
    if day is not None:
        cache.set(_done_key(work, tenant_id, date.fromisoformat(day)), 1, DONE_SECONDS)


@shared_task(name="customers.renew_counters")
def renew_counters() -> int:
    """Every hour: move the 30 and 90 day counters on where a new day began. Returns how many."""
    due = list(_tenants_due("renew_counters", now=timezone.now(), from_hour=0))
    for tenant_id, day in due:
        renew_counters_of.delay(tenant_id, day)
    return len(due)


@shared_task(name="customers.renew_counters_of", base=TenantTask)
def renew_counters_of(tenant_id: str, day: str | None = None) -> int:
    """Renew one tenant's counters; safe to run twice. Returns how many customers moved."""
    moved = counters.renew_counters(now=timezone.now())
    _note_done("renew_counters", tenant_id, day)
    return moved


@shared_task(name="customers.score")
def score() -> int:
    """Every hour: renew the scores of each tenant whose night it is. Returns how many tenants."""
    due = list(_tenants_due("score", now=timezone.now(), from_hour=NIGHT_HOUR))
    for tenant_id, day in due:
        score_of.delay(tenant_id, day)
    return len(due)


# Numpy and all it brings belong into the workers of this queue alone, so not at the top.


@shared_task(name="customers.score_of", base=TenantTask)
def score_of(tenant_id: str, day: str | None = None) -> int:
    """Renew one tenant's scores; safe to run twice. Returns how many customers changed."""
    from customers.services.scoring import score_customers

    changed = score_customers(now=timezone.now())
    _note_done("score", tenant_id, day)
    return changed


@shared_task(name="customers.score_training", base=TenantTask)
def score_training(tenant_id: str, job_id: str) -> str | None:
    """Learn anew and score everybody, as somebody asked. Returns how the job ended."""
    from customers.services.scoring import learn_and_score

    return run_job(ScoreTraining, UUID(job_id), learn_and_score)


@shared_task(name="customers.retain")
def retain() -> int:
    """Every hour: have each tenant's old payloads dropped. Returns how many tenants."""
    tenants = active_tenant_ids()
    for tenant_id in tenants:
        retain_of.delay(tenant_id)
    return len(tenants)


@shared_task(name="customers.retain_of", base=TenantTask)
def retain_of(tenant_id: str) -> int:
    """Drop one tenant's payloads past retention; safe to run twice. Returns how many."""
    now = timezone.now()
    retention.drop_old_scores(now=now)
    retention.drop_old_merges(now=now)
    retention.drop_old_undo_records(now=now)
    return retention.drop_old_payloads(now=now)


@shared_task(name="customers.run_import", base=TenantTask)
def run_import(tenant_id: str, job_id: str) -> str | None:
    """Carry out one import, check or undoing; safe to run twice. Returns how it ended."""
    return run_job(CustomerImport, UUID(job_id), work_on_import)


@shared_task(name="customers.run_bulk_merge", base=TenantTask)
def run_bulk_merge(tenant_id: str, job_id: str) -> str | None:
    """Merge the pairs of one bulk merge that have not had their turn. Returns how it ended."""
    return run_job(BulkMerge, UUID(job_id), bulk_merging.run_bulk_merge)


@shared_task(name="customers.run_tagging", base=TenantTask)
def run_tagging(tenant_id: str, job_id: str) -> str | None:
    """Carry out one tagging; safe to run twice. Returns how it ended."""
    return run_job(Tagging, UUID(job_id), work_on_tagging)


@shared_task(name="customers.run_export", base=TenantTask)
def run_export(tenant_id: str, job_id: str) -> str | None:
    """Write one export's file. Returns its status at the end, None if it was not ours."""
    return run_job(CustomerExport, UUID(job_id), exports.run_export)


@shared_task(name="customers.copy_erasures")
def copy_erasures() -> int:
    """Every minute: put erasures not copied yet into the copy outside. Returns how many."""
    copied = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            copied += erasure_copy.copy_new(now=timezone.now())
    return copied


def nudge_copy_on_commit() -> None:
    """Have a new erasure copied soon, once others can see it. Without a broker the tick does."""
    transaction.on_commit(lambda: copy_erasures.delay() and None, robust=True)


@shared_task(name="customers.scan_due")
def scan_due() -> int:
    """Every night: ask for each tenant's scan for duplicates. Returns how many were asked for."""
    now, actor = timezone.now(), Actor.system("customers.scan_due")
    tenants = active_tenant_ids()
    for tenant_id in tenants:
        with tenant_scope(tenant_id), transaction.atomic():
            nudge_on_commit(request_scan(kind=due_scan(now), actor=actor, now=now))
    return len(tenants)


@shared_task(name="customers.scan_duplicates", base=TenantTask)
def scan_duplicates(tenant_id: str, job_id: str) -> str | None:
    """Run one scan that waits; returns its status at the end, None if it was not ours to run."""
    return run_job(DuplicateScan, UUID(job_id), run_scan)
