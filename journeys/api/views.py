"""Journeys over HTTP, to read."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.viewsets import TenantReadOnlyViewSet, list_action
from journeys.api.filters import EnrollmentFilter, JourneyFilter
from journeys.api.serializers import EnrollmentSerializer, GraphSerializer, JourneySerializer
from journeys.models import Journey


class JourneyViewSet(TenantReadOnlyViewSet):
    """Steps that lead customers over time."""

    model = Journey
    scope = "journeys"
    permission_model = "journeys.journey"
    serializer_class = JourneySerializer
    filterset_class = JourneyFilter

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at__isnull=True)

    @extend_schema(responses=GraphSerializer)
    @action(detail=True)
    def graph(self, request: Request, pk: str) -> Response:
        """The draft's steps; where there is none, those of the version published last."""
        journey = self.get_object()
        version = None
        steps = journey.steps.filter(version__isnull=True)
        if not steps.exists():
            version = journey.versions.order_by("-number").first()
            steps = journey.steps.filter(version=version)
        graph = {"version": version and version.number, "steps": steps.order_by("step_number")}
        return Response(GraphSerializer(graph).data)

    @list_action(
        permission_model="journeys.journeyenrollment",
        serializer_class=EnrollmentSerializer,
        filterset_class=EnrollmentFilter,
        ordering="-enrolled_at",
        ordering_fields=("enrolled_at", "waiting_until"),
    )
    def enrollments(self, request: Request, pk: str) -> Response:
        """Customers on their way through the journey, and those who are done."""
        return self.answer_page(self.get_object().enrollments.all())
