"""What journeys hold about one person."""

from collections.abc import Iterator

from customers.services.holdings import CHUNK, Row, Subject, holding, told
from journeys.models import JourneyEnrollment, JourneyEnrollmentStep


@holding("journeys", title="Journeys they were on")
def _journeys(subject: Subject) -> Iterator[Row]:
    rows = JourneyEnrollment.objects.filter(customer__in=subject.profile_ids)
    for row in rows.select_related("journey").order_by("enrolled_at").iterator(chunk_size=CHUNK):
        yield {
            "enrollmentId": row.pk,
            "journey": row.journey.name,
            "status": row.status,
            "enrolledAt": row.enrolled_at,
            "completedAt": row.completed_at,
            "exitedAt": row.exited_at,
            "exitReason": row.exit_reason,
            "triggerData": row.trigger_data,
        }


@holding("journeySteps", title="Steps of those journeys")
def _steps(subject: Subject) -> Iterator[Row]:
    rows = JourneyEnrollmentStep.objects.filter(enrollment__customer__in=subject.profile_ids)
    return told(rows.order_by("entered_at", "pk"))
