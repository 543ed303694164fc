"""How far behind the work is: the rows are the queues, so the rows are asked."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import Delivery
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import active_tenant_ids
from customers.models import DuplicateScan, SyncLog
from segments.choices import RefreshStatus
from segments.models import CustomerSegment, SegmentRefresh

KEPT_SECONDS = 10  # Whoever asks more often gets the last answer: five short queries a tenant.
QUEUES = ("events", "segments", "deliveries", "matching")


def read_queues() -> dict[str, dict[str, float]]:
    """Per queue, over all tenants: ``oldest_due_seconds`` (0 where nothing is due) and ``tenants``
    that have work due. Says nothing about any single tenant.
    """
    known: dict[str, dict[str, float]] | None = cache.get("queues")
    if known is None:
        known = _measure(timezone.now())
        cache.set("queues", known, KEPT_SECONDS)
    return known


def _measure(now: datetime) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {queue: [] for queue in QUEUES}
    with transaction.atomic():
        tenant_ids = active_tenant_ids()
    for tenant_id in tenant_ids:
        with tenant_scope(tenant_id), transaction.atomic():
            for queue, since in _oldest_due(now).items():
                if since is not None:
                    found[queue].append(max((now - since).total_seconds(), 0))
    return {
        queue: {"oldest_due_seconds": max(ages, default=0), "tenants": len(ages)}
        for queue, ages in found.items()
    }


def _oldest_due(now: datetime) -> dict[str, datetime | None]:
    """When the work that has waited longest became due, in the tenant in scope."""
    scheduled = CustomerSegment.objects.due(now).filter(next_refresh_at__isnull=False)
    asked_for = SegmentRefresh.objects.filter(status=RefreshStatus.PENDING)
    sending = Delivery.objects.unsettled().filter(
        due_at__lte=now,
        run__status=RunStatus.SENDING,
        campaign__status=CampaignStatus.ACTIVE,
    )
    return {
        # By id, which the partial index of open events is in; ids grow with time.
        "events": _first(SyncLog.objects.due(now).order_by("pk"), "created_at"),
        "segments": _earliest(
            _first(scheduled.order_by("next_refresh_at"), "next_refresh_at"),
            _first(asked_for.order_by("requested_at"), "requested_at"),
        ),
        "deliveries": _first(sending.order_by("due_at"), "due_at"),
        "matching": _first(
            DuplicateScan.objects.waiting().order_by("requested_at"), "requested_at"
        ),
    }


def _first(rows: Any, moment: str) -> datetime | None:
    return next(iter(rows.values_list(moment, flat=True)[:1]), None)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def read_recent(since: datetime) -> dict[str, dict[str, int]]:
    """Events and deliveries that came into being since then, by status, over all tenants."""
    recent: dict[str, dict[str, int]] = {"events": {}, "deliveries": {}}
    with transaction.atomic():
        tenant_ids = active_tenant_ids()
    for tenant_id in tenant_ids:
        with tenant_scope(tenant_id), transaction.atomic():
            _add(recent["events"], _count(SyncLog, "status", since))
            _add(recent["deliveries"], _count(Delivery, "state", since))
    return recent


def _count(model: Any, field: str, since: datetime) -> Iterable[tuple[str, int]]:
    rows = model.objects.filter(created_at__gte=since).order_by()
    return rows.values_list(field).annotate(Count("pk"))


def _add(total: dict[str, int], counts: Iterable[tuple[str, int]]) -> None:
    for name, number in counts:
        total[name] = total.get(name, 0) + number
