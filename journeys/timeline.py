"""What journeys add to a customer's timeline: the waits they are in."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from customers.choices import ActivityCategory
from customers.services.timeline import COMING_SIZE, Entry, plans_ahead
from journeys.choices import JourneyEnrollmentStatus
from journeys.models import JourneyEnrollment


@plans_ahead
def waits(customer_id: UUID, viewer: str, now: datetime) -> Iterator[Entry]:
    """When each journey they are on goes on."""
    rows = JourneyEnrollment.objects.filter(
        customer_id=customer_id, status=JourneyEnrollmentStatus.ACTIVE, waiting_until__gt=now
    ).select_related("journey", "current_step")
    for row in rows.order_by("waiting_until", "pk")[:COMING_SIZE]:
        yield Entry(
            at=row.waiting_until or now,
            id=row.pk,
            kind="journey",
            category=ActivityCategory.MARKETING,
            type="JOURNEY_WAIT",
            title=f"Journey “{row.journey}” goes on",
            description=f"Waiting at “{row.current_step}”." if row.current_step else "",
        )
