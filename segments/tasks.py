"""Sweeps and units of work on segments."""

from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from crm_site.tenancy.celery import TenantTask
from crm_site.tenancy.context import require_tenant_id, tenant_scope
from crm_site.tenancy.services import active_tenant_ids
from segments.models import SegmentRefresh
from segments.services.refreshing import run_refresh
from segments.services.retention import forget_old_changes
from segments.services.schedule import queue_due, ready_refreshes


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


@shared_task(name="segments.retain")
def retain() -> int:
    """Remove membership changes past each tenant's retention. Returns how many."""
    removed = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id):
            removed += forget_old_changes(now=timezone.now())
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
