"""Journeys follow what happens to customers."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Subquery
from django.dispatch import receiver
from django.utils import timezone

from campaigns.choices import DeliveryReason, DeliveryState
from campaigns.models import Delivery
from customers.models import CustomerProfile
from customers.services.belongings import register_belonging
from customers.services.merge_plan import Clash, Pairs, clash_finder, everybody, in_both
from customers.services.merge_record import MergeRecord, UndoRecord
from customers.signals import profile_erased, profile_merged, profile_unmerged
from journeys.choices import JourneyEnrollmentStatus
from journeys.models import Journey, JourneyEnrollment, JourneyEnrollmentStep

UNDER_WAY_TWICE = "under_way_twice"
EXIT_REASON = "Merged with a customer who is under way in this journey already."
register_belonging(JourneyEnrollment, one="journey", many="journeys")


@receiver(profile_merged)
def follow_merge(
    sender: object,
    survivor: CustomerProfile,
    absorbed: CustomerProfile,
    record: MergeRecord,
    **kwargs: Any,
) -> None:
    """The absorbed profile's ways through journeys are the survivor's.

    Nobody goes through a journey twice at once: where both are under way, the absorbed one's way
    ends. Entries are counted on from the survivor's.
    """
    theirs, ours = (
        JourneyEnrollment.objects.filter(customer=each) for each in (absorbed, survivor)
    )
    active = JourneyEnrollmentStatus.ACTIVE
    under_way = ours.filter(status=active).values("journey")
    exited = record.change(
        theirs.filter(status=active, journey__in=under_way),
        why=UNDER_WAY_TWICE,
        status=JourneyEnrollmentStatus.EXITED,
        exited_at=timezone.now(),
        exit_reason=EXIT_REASON,
        waiting_until=None,
    )
    _count_exits(exited, +1)
    _leave_out_messages(record, exited)
    last_entry = ours.filter(journey=OuterRef("journey")).order_by("-entry_number")
    record.change(
        theirs.filter(journey__in=ours.values("journey")),
        why="entry_number",
        customer=survivor,
        entry_number=F("entry_number") + 1 + Subquery(last_entry.values("entry_number")[:1]),
    )
    record.move(theirs)


def _leave_out_messages(record: MergeRecord, enrollment_ids: Iterable[UUID]) -> None:
    visits = JourneyEnrollmentStep.objects.filter(enrollment__in=list(enrollment_ids))
    record.change(
        Delivery.objects.filter(
            journey_visit_id__in=visits.values("pk"), state=DeliveryState.PENDING
        ),
        why=UNDER_WAY_TWICE,
        state=DeliveryState.SUPPRESSED,
        reason=DeliveryReason.MERGED,
        settled_at=timezone.now(),
    )


@receiver(profile_unmerged)
def follow_unmerge(sender: object, record: UndoRecord, **kwargs: Any) -> None:
    _count_exits(record.put_back(JourneyEnrollment, UNDER_WAY_TWICE), -1)


def _count_exits(enrollment_ids: Iterable[UUID], sign: int) -> None:
    rows = JourneyEnrollment.objects.filter(pk__in=list(enrollment_ids)).order_by()
    for journey_id, count in rows.values_list("journey").annotate(count=Count("pk")):
        Journey.objects.filter(pk=journey_id).update(total_exited=F("total_exited") + sign * count)


@receiver(profile_erased)
def follow_erasure(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Who was erased leaves every journey; that they were on it stays, and is counted."""
    theirs = JourneyEnrollment.objects.filter(customer=profile)
    under_way = theirs.filter(status=JourneyEnrollmentStatus.ACTIVE)
    _count_exits(list(under_way.values_list("pk", flat=True)), +1)
    under_way.update(
        status=JourneyEnrollmentStatus.EXITED, exited_at=timezone.now(), waiting_until=None
    )
    theirs.filter(status=JourneyEnrollmentStatus.EXITED).update(exit_reason="Erased")
    theirs.update(trigger_data=None)
    JourneyEnrollmentStep.objects.filter(enrollment__in=theirs).update(result=None)


@clash_finder
def find_doubled_journeys(pairs: Pairs) -> Iterator[Clash]:
    rows = JourneyEnrollment.objects.filter(
        customer__in=everybody(pairs), status=JourneyEnrollmentStatus.ACTIVE
    )
    common = in_both(pairs, rows.values_list("customer_id", "journey_id"))
    names = Journey.objects.filter(pk__in=set(common)).order_by("name")
    yield Clash(
        kind="journey",
        count=len(common),
        settled="Both are under way in the journey: the way of the one merged away ends.",
        names=tuple(names.values_list("name", flat=True)),
    )
