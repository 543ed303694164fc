"""What segments do when something happens below them."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from crm_site.tenancy.signals import tenant_created
from customers.models import CustomerProfile
from customers.signals import profile_erased, profile_merged
from segments.choices import MembershipMove
from segments.models import CustomerSegmentMembership, SegmentMembershipChange
from segments.services.builtin import ensure_builtin_segments


@receiver(tenant_created)
def add_builtin_segments(sender: object, **kwargs: Any) -> None:
    ensure_builtin_segments()


@receiver(profile_merged)
def move_memberships(
    sender: object, survivor: CustomerProfile, absorbed: CustomerProfile, **kwargs: Any
) -> None:
    """Give the survivor the absorbed profile's memberships, keeping one per segment.

    The next refresh of a segment by rules says whether the survivor stays.
    """
    now = timezone.now()
    held = CustomerSegmentMembership.objects.filter(customer=absorbed)
    left = list(held.values_list("segment_id", flat=True))
    kept = CustomerSegmentMembership.objects.filter(customer=survivor, segment_id__in=left)
    already_in = set(kept.values_list("segment_id", flat=True))
    held.filter(segment_id__in=already_in).delete()
    held.update(customer=survivor)
    SegmentMembershipChange.objects.bulk_create(
        [
            *(_change(pk, absorbed, MembershipMove.LEFT, now) for pk in left),
            *(
                _change(pk, survivor, MembershipMove.ENTERED, now)
                for pk in left
                if pk not in already_in
            ),
        ]
    )


def _change(
    segment_id: Any, customer: CustomerProfile, move: MembershipMove, now: Any
) -> SegmentMembershipChange:
    return SegmentMembershipChange(
        segment_id=segment_id, customer=customer, move=move, changed_at=now
    )


@receiver(profile_erased)
def forget_memberships(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Nothing says any more which segments an erased person was in."""
    CustomerSegmentMembership.objects.filter(customer=profile).delete()
    SegmentMembershipChange.objects.filter(customer=profile).delete()
