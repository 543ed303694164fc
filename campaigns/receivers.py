"""Campaigns follow what happens to customers."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from campaigns.choices import DeliveryReason, DeliveryState
from campaigns.models import CampaignInteraction, Delivery
from customers.models import CustomerProfile
from customers.signals import profile_erased, profile_merged

MAY_HAVE_HEARD = (DeliveryState.ACCEPTED, DeliveryState.CLAIMED, DeliveryState.UNKNOWN)


def leave_out(deliveries: QuerySet[Delivery], reason: DeliveryReason) -> None:
    """Suppress those of which nothing was asked of Messaging yet."""
    deliveries.filter(state=DeliveryState.PENDING).update(
        state=DeliveryState.SUPPRESSED, reason=reason, settled_at=timezone.now()
    )


@receiver(profile_merged)
def follow_merge(
    sender: object, survivor: CustomerProfile, absorbed: CustomerProfile, **kwargs: Any
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
    leave_out(theirs.filter(pk__in=kept), DeliveryReason.MERGED)
    heard = same_message.filter(customer=absorbed, state__in=MAY_HAVE_HEARD)
    leave_out(ours.filter(Exists(heard)), DeliveryReason.MERGED)
    theirs.exclude(pk__in=kept).update(customer=survivor)
    CampaignInteraction.objects.filter(customer=absorbed).update(customer=survivor)


@receiver(profile_erased)
def follow_erasure(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Nothing more is sent, and nothing personal stays; what was counted still counts.

    A message in doubt loses its body, too: it is never sent anew to somebody erased, only asked
    about by its key.
    """
    theirs = Delivery.objects.filter(customer=profile)
    leave_out(theirs, DeliveryReason.ERASED)
    theirs.update(request=None, error=None)
    came = CampaignInteraction.objects.filter(customer=profile)
    came.update(user_agent=None, ip_address=None, location=None, source_event_id=None)
    # A link that others were sent, too, says nothing about this one.
    others = CampaignInteraction.objects.exclude(customer=profile).filter(
        campaign=OuterRef("campaign"), link_url=OuterRef("link_url")
    )
    came.filter(~Exists(others)).update(link_url=None)
