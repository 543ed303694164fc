"""What lists of journeys' rows may be filtered by."""

from crm_site.api.filters import RANGE, TenantFilterSet
from journeys.models import Journey, JourneyEnrollment


class JourneyFilter(TenantFilterSet):
    class Meta:
        model = Journey
        fields = {
            "name": ["exact"],
            "status": ["exact", "in"],
            "trigger_type": ["exact"],
            "club": ["exact"],
            "campaign": ["exact"],
            "created_at": RANGE,
            "updated_at": RANGE,
        }


class EnrollmentFilter(TenantFilterSet):
    class Meta:
        model = JourneyEnrollment
        fields = {
            "customer": ["exact"],
            "status": ["exact", "in"],
            "waiting_until": [*RANGE, "isnull"],
            "enrolled_at": RANGE,
        }
