"""Putting customers into segments by hand, and taking them out."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND
from customers.models import CustomerProfile
from segments.choices import MembershipMove
from segments.models import CustomerSegment, CustomerSegmentMembership, SegmentMembershipChange
from segments.services.difference import Difference
from segments.services.locking import lock
from segments.services.refreshing import SegmentError
from segments.signals import membership_changed


@transaction.atomic
def change_members(
    *,
    segment: CustomerSegment,
    add: Sequence[UUID] = (),
    remove: Sequence[UUID] = (),
    actor: Actor,
    now: datetime,
) -> Difference:
    """Add and remove members of a segment kept by hand; returns who really entered and left.

    Raises SegmentError, with the path of the first fault, for a segment filled by rules, an id
    that is no live customer, or one that is both added and removed.
    """
    if not segment.is_by_hand:
        raise SegmentError("Only a segment by hand takes single members.", code="not_by_hand")
    _check(add, remove)
    lock(segment.pk)
    entered = _add(segment, add, actor, now)
    left = _remove(segment, remove, now)
    if entered or left:
        _note(segment, entered, left, now)
    return Difference(len(entered), len(left))


def _check(add: Sequence[UUID], remove: Sequence[UUID]) -> None:
    live = set(CustomerProfile.objects.live().filter(pk__in=add).values_list("pk", flat=True))
    for index, customer_id in enumerate(add):
        if customer_id not in live:
            raise SegmentError("There is no such customer.", path=f"add[{index}]", code=NOT_FOUND)
    for index, customer_id in enumerate(remove):
        if customer_id in live:
            raise SegmentError("This one is added, too.", path=f"remove[{index}]", code="invalid")


def _add(segment: CustomerSegment, ids: Sequence[UUID], actor: Actor, now: datetime) -> list[UUID]:
    held = CustomerSegmentMembership.objects.filter(segment=segment, customer_id__in=ids)
    known = set(held.values_list("customer_id", flat=True))
    entered = [customer_id for customer_id in dict.fromkeys(ids) if customer_id not in known]
    CustomerSegmentMembership.objects.bulk_create(
        CustomerSegmentMembership(
            segment=segment, customer_id=customer_id, added_by=actor.id, added_at=now
        )
        for customer_id in entered
    )
    return entered


def _remove(segment: CustomerSegment, ids: Sequence[UUID], now: datetime) -> list[UUID]:
    held = CustomerSegmentMembership.objects.filter(segment=segment, customer_id__in=ids)
    left = list(held.values_list("customer_id", flat=True))
    held.delete()
    return left


def _note(segment: CustomerSegment, entered: list[UUID], left: list[UUID], now: datetime) -> None:
    SegmentMembershipChange.objects.bulk_create(
        SegmentMembershipChange(segment=segment, customer_id=customer_id, move=move, changed_at=now)
        for move, ids in ((MembershipMove.ENTERED, entered), (MembershipMove.LEFT, left))
        for customer_id in ids
    )
    # By hand the set is right at once: there is no later refresh that would count it.
    segment.member_count = CustomerSegmentMembership.objects.filter(segment=segment).count()
    segment.last_refreshed_at = now
    segment.save(update_fields=["member_count", "last_refreshed_at", "updated_at"])
    membership_changed.send(sender=CustomerSegment, segment=segment, changed_at=now)
