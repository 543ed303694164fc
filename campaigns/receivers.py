"""Campaigns follow what happens to customers."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from campaigns.choices import DeliveryReason, DeliveryState
from campaigns.models import CampaignInteraction, Delivery
from customers.models import CustomerProfile
from customers.signals import profile_erased, profile_merged


@receiver(profile_merged)
def follow_merge(
    sender: object, survivor: CustomerProfile, absorbed: CustomerProfile, **kwargs: Any
) -> None:
    """What was sent to the absorbed profile was sent to the survivor.

    Where both stand in the same run over the same channel, the absorbed one's message is left out
    if nothing was asked of Messaging yet, and otherwise stays where it is, as the proof.
    """
    theirs = Delivery.objects.filter(customer=absorbed)
    both = list(
        Delivery.objects.filter(customer=survivor, run__isnull=False).values_list("run", "channel")
    )
    kept = [row.pk for row in theirs if (row.run_id, row.channel) in set(both)]
    theirs.filter(pk__in=kept, state=DeliveryState.PENDING).update(
        state=DeliveryState.SUPPRESSED, reason=DeliveryReason.MERGED, settled_at=timezone.now()
    )
    theirs.exclude(pk__in=kept).update(customer=survivor)
    CampaignInteraction.objects.filter(customer=absorbed).update(customer=survivor)


@receiver(profile_erased)
def follow_erasure(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Nothing more is sent, and nothing personal stays; what was counted still counts."""
    theirs = Delivery.objects.filter(customer=profile)
    theirs.filter(state=DeliveryState.PENDING).update(
        state=DeliveryState.SUPPRESSED, reason=DeliveryReason.ERASED, settled_at=timezone.now()
    )
    # A message in doubt keeps its body, since its key may only be repeated with it; it is never
    # sent anew to somebody erased, only asked about.
    theirs.exclude(state__in=[DeliveryState.CLAIMED, DeliveryState.UNKNOWN]).update(request=None)
    CampaignInteraction.objects.filter(customer=profile).update(
        user_agent=None, ip_address=None, location=None
    )
