"""Work on customers that nobody waits for."""

from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from crm_site.jobs.services import run_job
from crm_site.tenancy.celery import TenantTask
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import active_tenant_ids
from customers.models import CustomerImport, SyncLog
from customers.services import counters, retention
from customers.services.importing.working import work_on_import
from customers.sync.processing import BATCH_SIZE, lock_processing, process_batch

# Outlives the wait for a batch; shorter than anybody's patience, should a worker die with it.
NUDGE_SECONDS = 15


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


@shared_task(name="customers.renew_counters")
def renew_counters() -> int:
    """Every hour: have each tenant's 30 and 90 day counters moved on. Returns how many tenants."""
    tenants = active_tenant_ids()
    for tenant_id in tenants:
        renew_counters_of.delay(tenant_id)
    return len(tenants)


@shared_task(name="customers.renew_counters_of", base=TenantTask)
def renew_counters_of(tenant_id: str) -> int:
    """Renew one tenant's counters; safe to run twice. Returns how many customers moved."""
    return counters.renew_counters(now=timezone.now())


@shared_task(name="customers.score")
def score() -> int:
    """Every night: have each tenant's scores renewed. Returns how many tenants."""
    tenants = active_tenant_ids()
    for tenant_id in tenants:
        score_of.delay(tenant_id)
    return len(tenants)


@shared_task(name="customers.score_of", base=TenantTask)
def score_of(tenant_id: str) -> int:
    """Renew one tenant's scores; safe to run twice. Returns how many customers changed."""
    # numpy and all it brings belong into the worker of this queue alone.
    from customers.services.scoring import score_customers

    return score_customers(now=timezone.now())


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
    return retention.drop_old_payloads(now=timezone.now())


@shared_task(name="customers.run_import", base=TenantTask)
def run_import(tenant_id: str, job_id: str) -> str | None:
    """Carry out one import, check or undoing; safe to run twice. Returns how it ended."""
    return run_job(CustomerImport, UUID(job_id), work_on_import)
