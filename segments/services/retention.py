"""How long the history of memberships is kept."""

from datetime import datetime, timedelta

from django.db import transaction

from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRefresh

BATCH = 5_000


def forget_old_changes(*, days: int, now: datetime) -> int:
    """Remove entries and exits, and refreshes that changed nothing, older than ``days``.

    In short transactions of BATCH rows, a segment at a time, as the index has them. Returns how
    many rows went.
    """
    limit, removed = now - timedelta(days=days), 0
    with transaction.atomic():
        segment_ids = list(CustomerSegment.objects.values_list("pk", flat=True))
    for segment_id in segment_ids:
        removed += _forget(SegmentMembershipChange, segment_id, "changed_at", limit)
        removed += _forget(SegmentRefresh, segment_id, "requested_at", limit)
    return removed


def _forget(model: type, segment_id: object, moment: str, limit: datetime) -> int:
    removed = 0
    while True:
        old = model.objects.filter(segment_id=segment_id, **{f"{moment}__lt": limit})  # type: ignore[attr-defined]
        with transaction.atomic():
            batch = list(old.order_by(moment).values_list("pk", flat=True)[:BATCH])
            count, _ = model.objects.filter(pk__in=batch).delete()  # type: ignore[attr-defined]
        removed += count
        if len(batch) < BATCH:
            return removed
