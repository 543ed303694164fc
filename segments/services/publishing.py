"""Keeping Messaging's copy of a segment in step, by difference.

``MessagingMember`` is what Messaging was told and confirmed. What differs from the members goes
out in parts, each noted once it is through, so that a sync that breaks off goes on where it was.
"""

from collections.abc import Iterable
from contextlib import suppress
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
    """Segments of the tenant in scope that may differ at Messaging from what they are here.

    Also those that it is to keep no longer, until its copy is empty; and of those out of use, the
    ones in whose copy somebody is who was erased.
    """
    kept, used = Q(messaging_segment_id__gt=""), Q(is_active=True, deleted_at__isnull=True)
    ended = Q(messaging_segment_id__isnull=True) | Q(messaging_segment_id="")
    may_differ = (
        Q(is_sync_due=True)
        | Q(last_synced_at__isnull=True)
        | Q(last_synced_at__lt=now - COMPARE_AFTER)
    )
    erased = Exists(_erased_members().filter(segment=OuterRef("pk")))
    due = CustomerSegment.objects.filter(
        kept & used & may_differ | Q(is_sync_due=True) & (ended | kept & ~used & Q(erased))
    )
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
        segment = CustomerSegment.objects.filter(pk=segment_id).first()
        if segment is None:
            return 0
        is_used = segment.is_active and segment.deleted_at is None
        if is_used or not segment.messaging_segment_id:
            CustomerSegment.objects.filter(pk=segment_id).update(is_sync_due=False)
    try:
        told += _empty_former(segment)
        if not segment.messaging_segment_id:
            return told
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


def _empty_former(segment: CustomerSegment) -> int:
    """Take everybody out of copies that the segment no longer leads to. Returns how many.

    Who is in such a copy by another segment stays there. A copy that Messaging does not have any
    more needs no emptying.
    """
    told = 0
    while part := _former_part(segment):
        remote_id, ids, leaving = part
        with suppress(MessagingRefused):
            if leaving:
                get_gateway().sync_segment(
                    require_tenant_id(),
                    remote_id,
                    name=segment.name,
                    remove=[str(pk) for pk in leaving],
                )
        with transaction.atomic():
            told_there = MessagingMember.objects.filter(segment=segment, remote_id=remote_id)
            told_there.filter(customer_id__in=ids).delete()
        told += len(leaving)
    return told


@transaction.atomic
def _former_part(segment: CustomerSegment) -> tuple[str, list[UUID], list[UUID]] | None:
    """Some whom a former copy still has, and those of them whom no other segment keeps there."""
    now = CustomerSegment.objects.filter(pk=segment.pk)
    current = now.values_list("messaging_segment_id", flat=True).first() or ""
    former = MessagingMember.objects.filter(segment=segment).exclude(remote_id=current)
    remote_id = former.order_by("remote_id").values_list("remote_id", flat=True).first()
    if remote_id is None:
        return None
    there = former.filter(remote_id=remote_id).order_by("customer_id")
    ids = list(there.values_list("customer_id", flat=True)[:PART])
    others = MessagingMember.objects.filter(remote_id=remote_id, customer_id__in=ids)
    staying = set(others.exclude(segment=segment).values_list("customer_id", flat=True))
    return remote_id, ids, [pk for pk in ids if pk not in staying]


def _send(segment: CustomerSegment, remote_id: str, *, is_entering: bool) -> int:
    sent, after = 0, UUID(int=0)
    while True:
        with transaction.atomic():
            rows = (_to_add if is_entering else _to_remove)(segment, remote_id)
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


def _to_add(segment: CustomerSegment, remote_id: str) -> QuerySet[CustomerSegmentMembership]:
    known = MessagingMember.objects.filter(
        segment=segment, remote_id=remote_id, customer_id=OuterRef("customer_id")
    )
    members: QuerySet[CustomerSegmentMembership] = CustomerSegmentMembership.objects.all()
    return members.filter(~Exists(known), segment=segment)


def _to_remove(segment: CustomerSegment, remote_id: str) -> QuerySet[MessagingMember]:
    held = CustomerSegmentMembership.objects.filter(
        segment=segment, customer_id=OuterRef("customer_id")
    )
    is_used = segment.is_active and segment.deleted_at is None
    known = MessagingMember.objects.all() if is_used else _erased_members()
    return known.filter(~Exists(held), segment=segment, remote_id=remote_id)


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
            (MessagingMember(segment=segment, customer_id=pk, remote_id=remote_id) for pk in part),
            ignore_conflicts=True,
        )
    else:
        told = MessagingMember.objects.filter(segment=segment, remote_id=remote_id)
        told.filter(customer_id__in=part).delete()


@transaction.atomic
def _note_failure(segment_id: UUID, error: MessagingError) -> None:
    # A refusal is looked at by a person; it is tried again at the next change, or in a day.
    is_final = isinstance(error, MessagingRefused)
    CustomerSegment.objects.filter(pk=segment_id).update(
        is_sync_due=not is_final, sync_error=str(error)
    )


def lead_elsewhere(segment: CustomerSegment) -> None:
    """Messaging keeps the segment under another id from now on, or not at all: what it was told
    under the old one is taken back by the next sync. The caller saves the segment.
    """
    segment.last_synced_at, segment.sync_error = None, None
    segment.is_sync_due = True
