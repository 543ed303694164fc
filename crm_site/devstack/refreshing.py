"""Refreshing a segment at once, in this process, for who cannot wait for a worker."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from segments.models import SegmentRefresh
from segments.services.refreshing import request_refresh, run_refresh


def refresh_now(segment_id: UUID) -> SegmentRefresh:
    """Ask for a refresh of a segment of the tenant in scope and carry it out.

    Raises RuntimeError with its reason if it fails.
    """
    now = timezone.now()
    with transaction.atomic():
        asked = request_refresh(segment_id=segment_id, actor=Actor.current(), now=now)
    refresh = run_refresh(refresh_id=asked.pk, now=now)
    if refresh is None or refresh.error:
        reason = refresh.error if refresh else "another process is at it"
        raise RuntimeError(f"The segment could not be refreshed: {reason}")
    return refresh
