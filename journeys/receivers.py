"""Journeys follow what happens to customers."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from customers.models import CustomerProfile
from customers.signals import profile_erased
from journeys.choices import JourneyEnrollmentStatus
from journeys.models import JourneyEnrollment, JourneyEnrollmentStep


@receiver(profile_erased)
def follow_erasure(sender: object, profile: CustomerProfile, **kwargs: Any) -> None:
    """Who was erased leaves every journey; that they were on it stays, and is counted."""
    theirs = JourneyEnrollment.objects.filter(customer=profile)
    theirs.filter(status=JourneyEnrollmentStatus.ACTIVE).update(
        status=JourneyEnrollmentStatus.EXITED, exited_at=timezone.now(), waiting_until=None
    )
    theirs.update(trigger_data=None)
    theirs.filter(status=JourneyEnrollmentStatus.EXITED).update(exit_reason="Erased")
    JourneyEnrollmentStep.objects.filter(enrollment__in=theirs).update(result=None)
