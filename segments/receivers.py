"""What segments do when something happens below them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone

from crm_site.tenancy.signals import tenant_created
from customers.models import Activity, CustomerProfile
from customers.services.belongings import register_belonging
from customers.services.merge_plan import Clash, Pairs, clash_finder, everybody, in_both
from customers.services.merge_record import MergeRecord, UndoRecord
from customers.signals import (
    activities_recorded,
    profile_erased,
    profile_merged,
    profile_unmerged,
    profiles_changed,
)
from segments.choices import MembershipMove
from segments.models import (
    CustomerSegment,
    CustomerSegmentMembership,
    MessagingMember,
    SegmentMembershipChange,
    SegmentRecheck,
)
from segments.rules.counts import ACTIVITY
from segments.rules.reads import ANYTHING
from segments.services.builtin import ensure_builtin_segments
from segments.services.locking import lock_all
from segments.services.publishing import mark_for_messaging
from segments.services.rechecking import mark_moved
from segments.signals import membership_changed
from segments.tasks import look_again, nudge_rechecks_on_commit

IN_BOTH = "in_both"
register_belonging(CustomerSegmentMembership, one="segment", many="segments")
register_belonging(
    SegmentMembershipChange,
    one="line of segment history",
    many="lines of segment history",
    stays="History is never changed: the absorbed profile left, and the survivor entered.",
)
register_belonging(
    MessagingMember,
    "customer_id",
    one="member at Messaging",
    many="members at Messaging",
    stays="What Messaging was told; the difference to the members goes out next.",
)
register_belonging(
    SegmentRecheck,
    one="look still to be taken",
    many="looks still to be taken",
    stays="Gone within seconds; both profiles are looked at after the merge.",
)


@receiver(tenant_created)
def add_builtin_segments(sender: object, **kwargs: Any) -> None:
    ensure_builtin_segments()


@receiver(profile_merged)
def move_memberships(
    sender: object,
    survivor: CustomerProfile,
    absorbed: CustomerProfile,
    record: MergeRecord,
    **kwargs: Any,
) -> None:
    """Give the survivor the absorbed profile's memberships, keeping one per segment.

    Whether the survivor stays in segments by rules is asked right after.
    """
    now = timezone.now()
    held = CustomerSegmentMembership.objects.filter(customer=absorbed)
    ours = CustomerSegmentMembership.objects.filter(customer=survivor)
    # A refresh under way would enter or take out one of the two meanwhile.
    lock_all(held.values_list("segment_id", flat=True))
    left = list(held.values_list("segment_id", flat=True))
    twice = held.filter(segment_id__in=ours.values("segment_id"))
    gone = [UUID(row["segment_id"]) for row in record.remove(twice, why=IN_BOTH)]
    _count_members(gone, -1)
    record.move(held)
    mark_for_messaging(left)
    moves = [
        *((pk, absorbed, MembershipMove.LEFT) for pk in left),
        *((pk, survivor, MembershipMove.ENTERED) for pk in left if pk not in gone),
    ]
    record.add([_change(*move, now) for move in moves], why="history")
    look_again([survivor.pk, absorbed.pk], {ANYTHING})


def _change(
    segment_id: UUID, customer: CustomerProfile, move: MembershipMove, now: datetime
) -> SegmentMembershipChange:
    return SegmentMembershipChange(
        segment_id=segment_id, customer=customer, move=move, changed_at=now
    )


def _count_members(segment_ids: Iterable[UUID], difference: int) -> None:
    """Each of the segments has one member more, or less; no refresh would count an equal set."""
    mark_for_messaging(segment_ids)
    CustomerSegment.objects.filter(pk__in=list(segment_ids)).update(
        member_count=F("member_count") + difference
    )


@receiver(profile_unmerged)
def count_returned(
    sender: object,
    survivor: CustomerProfile,
    absorbed: CustomerProfile,
    record: UndoRecord,
    **kwargs: Any,
) -> None:
    """Who was taken out as a double is a member of their own again."""
    back = record.put_back(CustomerSegmentMembership, IN_BOTH)
    rows = CustomerSegmentMembership.objects.filter(pk__in=back)
    _count_members(rows.values_list("segment_id", flat=True), +1)
    theirs = CustomerSegmentMembership.objects.filter(customer=absorbed)
    mark_for_messaging(theirs.values_list("segment_id", flat=True))
    look_again([survivor.pk, absorbed.pk], {ANYTHING})


@receiver(profile_erased)
def forget_memberships(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Nothing says any more which segments an erased person was in."""
    held = CustomerSegmentMembership.objects.filter(customer=profile)
    lock_all(held.values_list("segment_id", flat=True))
    _count_members(held.values_list("segment_id", flat=True), -1)
    held.delete()
    told = MessagingMember.objects.filter(customer_id=profile.pk)
    mark_for_messaging(told.values_list("segment_id", flat=True))
    SegmentMembershipChange.objects.filter(customer=profile).delete()
    SegmentRecheck.objects.filter(customer=profile).delete()


@receiver(profiles_changed)
def look_at_changed(
    sender: object, customer_ids: list[UUID], columns: frozenset[str] | None, **kwargs: Any
) -> None:
    look_again(customer_ids, columns if columns is not None else {ANYTHING})


@receiver(activities_recorded)
def look_at_active(sender: object, activities: list[Activity], **kwargs: Any) -> None:
    look_again([activity.customer_id for activity in activities], {ACTIVITY.name})


@receiver(membership_changed)
def look_at_moved(
    sender: object, segment: CustomerSegment, changed_at: datetime, **kwargs: Any
) -> None:
    """Segments that ask about this one, and Messaging's copy of it."""
    if segment.messaging_segment_id:
        mark_for_messaging([segment.pk])
    if mark_moved(segment, changed_at=changed_at):
        nudge_rechecks_on_commit()


@clash_finder
def find_common_segments(pairs: Pairs) -> Iterator[Clash]:
    rows = CustomerSegmentMembership.objects.filter(
        customer__in=everybody(pairs), segment__deleted_at__isnull=True
    )
    common = in_both(pairs, rows.values_list("customer_id", "segment_id"))
    names = CustomerSegment.objects.filter(pk__in=set(common)).order_by("name")
    yield Clash(
        kind="segment",
        count=len(common),
        settled="Both are in the segment: it keeps one member.",
        names=tuple(names.values_list("name", flat=True)),
    )
