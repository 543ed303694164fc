"""Giving events that failed, or that nobody understood, another chance."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError
from customers.choices import SyncStatus
from customers.models import SyncLog


class ReplayError(DomainError):
    """This event cannot be replayed."""


@transaction.atomic
def replay_event(*, event_id: UUID, actor: Actor) -> SyncLog:
    """Make one event due again, with all its attempts before it. The edge nudges afterwards.

    Raises ReplayError for one that is done, which would count twice, or whose body is past its
    retention.
    """
    row = SyncLog.objects.select_for_update().filter(pk=event_id).first()
    if row is None:
        raise ReplayError("There is no such event.", code=NOT_FOUND)
    if row.status == SyncStatus.SUCCESS:
        raise ReplayError("This event is done already.", code="already_done")
    if row.event_payload is None:
        raise ReplayError("The event's body is past its retention.", code="payload_gone")
    _make_due(SyncLog.objects.filter(pk=row.pk), timezone.now())
    row.refresh_from_db()
    audit.record("REPLAY", row, actor=actor, metadata={"eventId": row.event_id})
    return row


@transaction.atomic
def replay_events(
    *,
    actor: Actor,
    statuses: Collection[str] = (SyncStatus.FAILED,),
    source: str | None = None,
    event_type: str | None = None,
) -> int:
    """Make every such event of the tenant in scope due again. Returns how many."""
    rows = SyncLog.objects.filter(
        status__in=set(statuses) - {SyncStatus.SUCCESS}, event_payload__isnull=False
    )
    if source:
        rows = rows.filter(source_service=source)
    if event_type:
        rows = rows.filter(event_type=event_type)
    return _make_due(rows, timezone.now())


def _make_due(rows: "QuerySet[SyncLog]", now: datetime) -> int:
    return rows.update(status=SyncStatus.PENDING, attempts=0, next_attempt_at=now, error=None)
