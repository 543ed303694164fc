"""Leading one customer through steps over time."""

from journeys.models.enrollment import JourneyEnrollment, JourneyEnrollmentStep
from journeys.models.journey import Journey, JourneyStep, JourneyVersion

__all__ = [
    "Journey",
    "JourneyEnrollment",
    "JourneyEnrollmentStep",
    "JourneyStep",
    "JourneyVersion",
]
