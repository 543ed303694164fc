"""Campaigns follow what happens to customers."""

from collections.abc import Hashable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from campaigns.choices import (
    DeliveryReason,
    DeliveryState,
    Dimension,
    FiringReason,
    FiringState,
)
from campaigns.models import (
    CampaignBreakdown,
    CampaignInteraction,
    Delivery,
    TrialMessage,
    TriggerFiring,
)
from campaigns.services.triggers import note_events
from customers.models import Activity, CustomerProfile
from customers.services.belongings import register_belonging
from customers.services.merge_plan import Clash, Pairs, clash_finder, everybody, in_both
from customers.services.merge_record import MergeRecord, UndoRecord
from customers.signals import activities_recorded, profile_erased, profile_merged, profile_unmerged

SENT_TWICE = "sent_twice"
register_belonging(Delivery, one="message", many="messages")
register_belonging(CampaignInteraction, one="open or click", many="opens and clicks")
register_belonging(TriggerFiring, one="event of a campaign", many="events of campaigns")
MAY_HAVE_HEARD = (DeliveryState.ACCEPTED, DeliveryState.CLAIMED, DeliveryState.UNKNOWN)


def leave_out(deliveries: QuerySet[Delivery], reason: DeliveryReason) -> None:
    """Suppress those of which nothing was asked of Messaging yet."""
    deliveries.filter(state=DeliveryState.PENDING).update(
        state=DeliveryState.SUPPRESSED, reason=reason, settled_at=timezone.now()
    )


@receiver(activities_recorded)
def answer_events(sender: object, activities: list[Activity], **kwargs: Any) -> None:
    """Triggered campaigns that wait for such an event will answer it."""
    note_events(activities, now=timezone.now())


@receiver(profile_merged)
def follow_merge(
    sender: object,
    survivor: CustomerProfile,
    absorbed: CustomerProfile,
    record: MergeRecord,
    **kwargs: Any,
) -> None:
    """What was sent to the absorbed profile was sent to the survivor.

    Where both stand in the same run over the same channel, one message is enough. The absorbed
    one's stays where it is, as the proof; it is left out if nothing was asked of Messaging yet, and
    otherwise the survivor's is, since they heard or may have heard already.
    """
    theirs, ours = (Delivery.objects.filter(customer=each) for each in (absorbed, survivor))
    same_message = Delivery.objects.filter(run=OuterRef("run"), channel=OuterRef("channel"))
    twice = theirs.filter(Exists(same_message.filter(customer=survivor)))
    kept = list(twice.values_list("pk", flat=True))
    heard = same_message.filter(customer=absorbed, state__in=MAY_HAVE_HEARD)
    for doubled in (theirs.filter(pk__in=kept), ours.filter(Exists(heard))):
        record.change(
            doubled.filter(state=DeliveryState.PENDING),
            why=SENT_TWICE,
            state=DeliveryState.SUPPRESSED,
            reason=DeliveryReason.MERGED,
            settled_at=timezone.now(),
        )
    record.move(theirs.exclude(pk__in=kept))
    record.move(CampaignInteraction.objects.filter(customer=absorbed))
    record.move(TriggerFiring.objects.filter(customer=absorbed))


@receiver(profile_unmerged)
def follow_unmerge(sender: object, record: UndoRecord, **kwargs: Any) -> None:
    """A message that waits again although its run is over will not be sent any more."""
    waiting = Delivery.objects.filter(pk__in=record.put_back(Delivery, SENT_TWICE))
    leave_out(waiting.filter(run__completed_at__isnull=False), DeliveryReason.EXPIRED)


@receiver(profile_erased)
def follow_erasure(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Nothing more is sent, and nothing personal stays; what was counted still counts.

    A message in doubt loses its body, too: it is never sent anew to somebody erased, only asked
    about by its key.
    """
    theirs = Delivery.objects.filter(customer=profile)
    leave_out(theirs, DeliveryReason.ERASED)
    theirs.update(request=None, error=None)
    TriggerFiring.objects.waiting().filter(customer=profile).update(
        state=FiringState.SKIPPED, reason=FiringReason.GONE, settled_at=timezone.now()
    )
    came = CampaignInteraction.objects.filter(customer=profile)
    came.update(user_agent=None, ip_address=None, location=None, source_event_id=None)
    # A link that others were sent, too, says nothing about this one.
    others = CampaignInteraction.objects.exclude(customer=profile).filter(
        campaign=OuterRef("campaign"), link_url=OuterRef("link_url")
    )
    theirs_alone = came.filter(~Exists(others), link_url__isnull=False)
    CampaignBreakdown.objects.filter(
        Exists(theirs_alone.filter(campaign=OuterRef("campaign"), link_url=OuterRef("value"))),
        dimension=Dimension.LINK,
    ).delete()
    theirs_alone.update(link_url=None)
    # Any test may have been filled in as for them: it says only to whom of the staff it went.
    TrialMessage.objects.filter(state=DeliveryState.PENDING).delete()
    TrialMessage.objects.exclude(variables={}).update(variables={})


@clash_finder
def find_doubled_messages(pairs: Pairs) -> Iterator[Clash]:
    """Messages not sent yet that both would get, or that one has had already."""
    rows = Delivery.objects.filter(customer__in=everybody(pairs), run__isnull=False)
    waiting = rows.filter(state=DeliveryState.PENDING)
    may_come_twice = rows.filter(
        Q(state=DeliveryState.PENDING) | Q(state__in=MAY_HAVE_HEARD), run__in=waiting.values("run")
    )
    messages = may_come_twice.values_list("customer_id", "run_id", "channel", "campaign__name")
    names: dict[Hashable, str] = {}
    told: list[tuple[UUID, Hashable]] = []
    for customer_id, run_id, channel, name in messages:
        names[run_id, channel] = name
        told.append((customer_id, (run_id, channel)))
    twice = in_both(pairs, told)
    yield Clash(
        kind="message",
        count=len(twice),
        settled="Both would get the message: it is sent once.",
        names=tuple(sorted({names[message] for message in twice})),
    )
