"""Letting go of what a tenant no longer keeps."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_site.access.services import tenant_in_scope
from customers.models import (
    CustomerImport,
    CustomerScore,
    ImportBatch,
    ImportChange,
    ProfileMerge,
    ProfileMergeStep,
    SyncLog,
)
from customers.services.importing.requesting import KEEP_FOR

BATCH_SIZE = 5_000
# The trend shows a year; what was said before is nobody's any more.
SCORE_RETENTION = timedelta(days=400)


def drop_old_payloads(*, now: datetime) -> int:
    """Empty the bodies of events past the tenant's retention. Returns how many.

    The rows stay, with their hashes, so that a repeat is still known. Short transactions.
    """
    dropped = 0
    while True:
        with transaction.atomic():
            oldest = now - timedelta(days=tenant_in_scope().sync_payload_retention_days)
            held = Q(event_payload__isnull=False) | Q(conflict_payload__isnull=False)
            old = SyncLog.objects.filter(held, created_at__lt=oldest).order_by("created_at")
            ids = list(old.values_list("pk", flat=True)[:BATCH_SIZE])
            SyncLog.objects.filter(pk__in=ids).update(event_payload=None, conflict_payload=None)
        dropped += len(ids)
        if len(ids) < BATCH_SIZE:
            return dropped


def drop_old_scores(*, now: datetime) -> int:
    """Remove weeks of scores past their time; each customer's newest stays. Returns how many."""
    newer = CustomerScore.objects.filter(customer=OuterRef("customer"), week__gt=OuterRef("week"))
    dropped = 0
    while True:
        with transaction.atomic():
            past = CustomerScore.objects.filter(week__lt=(now - SCORE_RETENTION).date())
            old = past.filter(Exists(newer)).order_by("week")
            ids = list(old.values_list("pk", flat=True)[:BATCH_SIZE])
            CustomerScore.objects.filter(pk__in=ids).delete()
        dropped += len(ids)
        if len(ids) < BATCH_SIZE:
            return dropped


def drop_old_merges(*, now: datetime) -> int:
    """Let go of what undoing would need of merges past their time. Returns how many.

    That two were merged, when and by whom, stays.
    """
    dropped = 0
    while True:
        with transaction.atomic():
            old = ProfileMerge.objects.expired(now).order_by("expires_at")
            ids = list(old.values_list("pk", flat=True)[:BATCH_SIZE])
            ProfileMergeStep.objects.filter(merge__in=ids).delete()
            ProfileMerge.objects.filter(pk__in=ids).update(
                survivor_before=None, absorbed_before=None, survivor_after=None
            )
        dropped += len(ids)
        if len(ids) < BATCH_SIZE:
            return dropped


def drop_old_undo_records(*, now: datetime) -> int:
    """Remove what undoing would need of imports too old to be undone. Returns how many rows.

    One that is being undone right now keeps its own until it is through.
    """
    past = CustomerImport.objects.filter(requested_at__lt=now - KEEP_FOR)
    old = past.exclude(undoings__in=CustomerImport.objects.open())
    return _drop_of(old, ImportChange) + _drop_of(old, ImportBatch)


def _drop_of(jobs: QuerySet[CustomerImport], model: type[ImportBatch] | type[ImportChange]) -> int:
    dropped = 0
    while True:
        with transaction.atomic():
            ids = list(model.objects.filter(job__in=jobs).values_list("pk", flat=True)[:BATCH_SIZE])
            model.objects.filter(pk__in=ids).delete()
        dropped += len(ids)
        if len(ids) < BATCH_SIZE:
            return dropped
