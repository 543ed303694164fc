"""How long the history of memberships is kept."""

from datetime import datetime, timedelta

from django.db import models, transaction

from crm_site.access.services import tenant_in_scope
from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRefresh

BATCH_SIZE = 5_000


def forget_old_changes(*, now: datetime) -> int:
    """Remove entries, exits and refreshes past the tenant's days for them.

    In short transactions, a segment at a time, as the index has them. Returns how many rows went.
    """
    removed = 0
    with transaction.atomic():
        limit = now - timedelta(days=tenant_in_scope().membership_change_retention_days)
        segment_ids = list(CustomerSegment.objects.values_list("pk", flat=True))
    for segment_id in segment_ids:
        changes = SegmentMembershipChange.objects.filter(segment_id=segment_id)
        removed += _remove(changes.filter(changed_at__lt=limit).order_by("changed_at"))
        refreshes = SegmentRefresh.objects.filter(segment_id=segment_id)
        removed += _remove(refreshes.filter(requested_at__lt=limit).order_by("requested_at"))
    return removed


def _remove(old: models.QuerySet) -> int:
    removed = 0
    while True:
        with transaction.atomic():
            batch = list(old.values_list("pk", flat=True)[:BATCH_SIZE])
            count, _ = old.filter(pk__in=batch).delete()
        removed += count
        if len(batch) < BATCH_SIZE:
            return removed
