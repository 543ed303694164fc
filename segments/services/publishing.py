"""Keeping Messaging's copy of a segment in step, by difference.

``MessagingMember`` is what Messaging was told and confirmed. What differs from the members goes
out in parts, each noted once it is through, so that a sync that breaks off goes on where it was.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_site.messaging.gateway import MessagingError, MessagingRefused, get_gateway
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile
from segments.models import CustomerSegment, CustomerSegmentMembership, MessagingMember

PART = 10_000
# Also where nobody noted a change, members are compared as often as this.
COMPARE_AFTER = timedelta(days=1)


def mark_for_messaging(segment_ids: Iterable[UUID]) -> None:
    """Note that members moved; in the transaction in which they did."""
    kept = CustomerSegment.objects.filter(pk__in=list(segment_ids), messaging_segment_id__gt="")
    kept.filter(is_sync_due=False).update(is_sync_due=True)


def due_for_messaging(now: datetime) -> list[UUID]:
    """Segments of the tenant in scope that Messaging keeps too, and that may differ there; of those
    out of use, the ones in whose copy somebody is who was erased."""
    kept = CustomerSegment.objects.filter(messaging_segment_id__gt="")
    used = Q(is_active=True, deleted_at__isnull=True)
    may_differ = (
        Q(is_sync_due=True)
        | Q(last_synced_at__isnull=True)
        | Q(last_synced_at__lt=now - COMPARE_AFTER)
    )
    erased = Exists(_erased_members().filter(segment=OuterRef("pk")))
    due = kept.filter(used & may_differ | ~used & Q(erased, is_sync_due=True))
    return list(due.order_by("last_synced_at", "pk").values_list("pk", flat=True))


def sync_with_messaging(*, segment_id: UUID, now: datetime) -> int:
    """Tell Messaging who entered and who left since it was last told. Returns how many.

    ``last_synced_at`` moves once nothing differs. What Messaging refuses is kept as the reason;
    what it cannot take now is sent at the next tick. Of a segment out of use it is told only that
    those who were erased left. One sync of a segment at a time: the caller sees to it. No
    transaction is open during a call.
    """
    told = 0
    with transaction.atomic():
        # Before the members are read: who moves from here on marks it anew.
        CustomerSegment.objects.usable().filter(pk=segment_id).update(is_sync_due=False)
        segment = CustomerSegment.objects.filter(pk=segment_id).first()
    if segment is None or not segment.messaging_segment_id:
        return 0
    is_used = segment.is_active and segment.deleted_at is None
    try:
        for is_entering in (False, True) if is_used else (False,):
            told += _send(segment, segment.messaging_segment_id, is_entering=is_entering)
    except MessagingError as error:
        _note_failure(segment_id, error)
        return told
    if not is_used:
        return told  # Once it is in use again, everything is compared.
    with transaction.atomic():
        CustomerSegment.objects.filter(
            pk=segment_id, messaging_segment_id=segment.messaging_segment_id
        ).update(last_synced_at=now, sync_error=None)
    return told


def _send(segment: CustomerSegment, remote_id: str, *, is_entering: bool) -> int:
    sent, after = 0, UUID(int=0)
    while True:
        with transaction.atomic():
            rows = _to_add(segment) if is_entering else _to_remove(segment)
            part = list(
                rows.filter(customer_id__gt=after)
                .order_by("customer_id")
                .values_list("customer_id", flat=True)[:PART]
            )
        if not part:
            return sent
        get_gateway().sync_segment(
            require_tenant_id(),
            remote_id,
            name=segment.name,
            **{"add" if is_entering else "remove": [str(pk) for pk in part]},
        )
        with transaction.atomic():
            _confirm(segment, remote_id, part, is_entering=is_entering)
        sent, after = sent + len(part), part[-1]


def _to_add(segment: CustomerSegment) -> QuerySet[CustomerSegmentMembership]:
    known = MessagingMember.objects.filter(segment=segment, customer_id=OuterRef("customer_id"))
    members: QuerySet[CustomerSegmentMembership] = CustomerSegmentMembership.objects.all()
    return members.filter(~Exists(known), segment=segment)


def _to_remove(segment: CustomerSegment) -> QuerySet[MessagingMember]:
    held = CustomerSegmentMembership.objects.filter(
        segment=segment, customer_id=OuterRef("customer_id")
    )
    is_used = segment.is_active and segment.deleted_at is None
    known = MessagingMember.objects.all() if is_used else _erased_members()
    return known.filter(~Exists(held), segment=segment)


def _erased_members() -> QuerySet[MessagingMember]:
    """Whom Messaging still has although they were erased here."""
    erased = CustomerProfile.objects.filter(erased_at__isnull=False)
    members: QuerySet[MessagingMember] = MessagingMember.objects.all()
    return members.filter(customer_id__in=erased.values("pk"))


def _confirm(
    segment: CustomerSegment, remote_id: str, part: list[UUID], *, is_entering: bool
) -> None:
    """Note what went through, unless the segment leads elsewhere by now."""
    same = CustomerSegment.objects.filter(pk=segment.pk, messaging_segment_id=remote_id)
    if not same.select_for_update().exists():
        return
    if is_entering:
        MessagingMember.objects.bulk_create(
            (MessagingMember(segment=segment, customer_id=pk) for pk in part),
            ignore_conflicts=True,
        )
    else:
        MessagingMember.objects.filter(segment=segment, customer_id__in=part).delete()


@transaction.atomic
def _note_failure(segment_id: UUID, error: MessagingError) -> None:
    # A refusal is looked at by a person; it is tried again at the next change, or in a day.
    is_final = isinstance(error, MessagingRefused)
    CustomerSegment.objects.filter(pk=segment_id).update(
        is_sync_due=not is_final, sync_error=str(error)
    )


def forget_told(segment: CustomerSegment) -> None:
    """Messaging keeps the segment under another id from now on, and knows nobody of it there."""
    MessagingMember.objects.filter(segment=segment).delete()
    segment.last_synced_at, segment.sync_error = None, None
    segment.is_sync_due = bool(segment.messaging_segment_id)
