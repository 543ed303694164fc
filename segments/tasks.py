"""Sweeps and units of work on segments."""

from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from crm_site.jobs.services import run_job
from crm_site.tenancy.celery import TenantTask
from crm_site.tenancy.context import require_tenant_id, tenant_scope
from crm_site.tenancy.services import active_tenant_ids
from segments.models import SegmentRecheck, SegmentRefresh, SegmentTrial
from segments.services import trials
from segments.services.publishing import due_for_messaging, sync_with_messaging
from segments.services.rechecking import mark_changed, recheck_changed
from segments.services.refreshing import run_refresh
from segments.services.retention import forget_old_changes
from segments.services.schedule import queue_due, ready_refreshes

# Outlives the wait for a look; shorter than anybody's patience, should a worker die with it.
NUDGE_SECONDS = 15
# Longer than a million members take; a worker that died with it is followed by another then.
SYNC_SECONDS = 15 * 60


@shared_task(name="segments.refresh_due")
def refresh_due() -> int:
    """Queue what is due in each tenant, and nudge what waits. Returns how many were nudged."""
    nudged = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            ready = queue_due(timezone.now())
        nudged += _nudge(tenant_id, ready)
    return nudged


@shared_task(name="segments.refresh_one", base=TenantTask)
def refresh_one(tenant_id: str, refresh_id: str) -> tuple[int, int] | None:
    """Run one waiting refresh; safe to run twice. Returns (entered, left), None if not run."""
    refresh = run_refresh(refresh_id=UUID(refresh_id), now=timezone.now())
    if refresh is None:
        return None
    with transaction.atomic():
        ready = ready_refreshes()  # Those that waited for this one.
    _nudge(tenant_id, ready)
    return refresh.entered_count, refresh.left_count


def _recheck_key(tenant_id: str) -> str:
    return f"segments.recheck:{tenant_id}"


def nudge_rechecks(tenant_id: str) -> None:
    """Have a tenant's changed customers looked at soon; one waiting task a tenant is enough.

    Call after commit. The task takes the mark away before it looks, so whoever finds the mark knows
    that a look is still to come.
    """
    if cache.add(_recheck_key(tenant_id), 1, NUDGE_SECONDS):
        recheck.delay(tenant_id)


def look_again(customer_ids: Sequence[UUID], moved: Collection[str]) -> None:
    """Have customers' segments follow a change; call it in the transaction of that change.

    ``moved`` names what rules may read: columns, or what is counted, such as ``activity``.
    """
    if mark_changed(customer_ids, moved, now=timezone.now()):
        nudge_rechecks_on_commit()


def nudge_rechecks_on_commit() -> None:
    tenant_id = require_tenant_id()
    transaction.on_commit(lambda: nudge_rechecks(tenant_id), robust=True)


@shared_task(name="segments.recheck", base=TenantTask)
def recheck(tenant_id: str) -> tuple[int, int, int]:
    """Look again at customers who changed. Returns (looked at, entered, left).

    One batch a task, so that a tenant with many takes turns with the others.
    """
    cache.delete(_recheck_key(tenant_id))
    done = recheck_changed(timezone.now())
    if done.is_full:
        nudge_rechecks(tenant_id)
    return done.customer_count, done.entered_count, done.left_count


@shared_task(name="segments.recheck_due")
def recheck_due() -> int:
    """Every few seconds: nudge tenants where somebody waits to be looked at. Returns how many."""
    nudged = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            is_waiting = SegmentRecheck.objects.exists()
        if is_waiting:
            nudge_rechecks(tenant_id)
            nudged += 1
    return nudged


@shared_task(name="segments.sync_due")
def sync_due() -> int:
    """Queue a sync of each segment whose copy at Messaging may differ. Returns how many."""
    queued = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            due = due_for_messaging(timezone.now())
        for segment_id in due:
            sync_one.delay(tenant_id, str(segment_id))
        queued += len(due)
    return queued


@shared_task(name="segments.sync_one", base=TenantTask)
def sync_one(tenant_id: str, segment_id: str) -> int:
    """Tell Messaging what differs in one segment. Returns how many people, 0 if one is at it."""
    at_work = f"segments.sync:{tenant_id}:{segment_id}"
    if not cache.add(at_work, 1, SYNC_SECONDS):
        return 0
    try:
        return sync_with_messaging(segment_id=UUID(segment_id), now=timezone.now())
    finally:
        cache.delete(at_work)


@shared_task(name="segments.run_trial", base=TenantTask)
def run_trial(tenant_id: str, job_id: str) -> str | None:
    """Try a model. Returns how the job ended, None if it is another worker's."""
    return run_job(SegmentTrial, UUID(job_id), partial(trials.run_trial, now=timezone.now()))


@shared_task(name="segments.retain")
def retain() -> int:
    """Remove membership changes past each tenant's retention. Returns how many."""
    removed = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id):
            removed += forget_old_changes(now=timezone.now())
            with transaction.atomic():
                trials.forget_old_trials(now=timezone.now())
    return removed


def nudge_on_commit(refresh: SegmentRefresh | None) -> None:
    """Ring for a refresh that waits, once others can see it. Without a broker the tick finds it."""
    if refresh is not None:
        tenant_id, refresh_id = require_tenant_id(), refresh.pk
        transaction.on_commit(lambda: _nudge(tenant_id, [refresh_id]), robust=True)


def _nudge(tenant_id: str, refresh_ids: list[UUID]) -> int:
    for refresh_id in refresh_ids:
        refresh_one.delay(tenant_id, str(refresh_id))
    return len(refresh_ids)
