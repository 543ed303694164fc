"""Long work over HTTP: 202 with its own address, which shows how far it is."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.serializers import TenantModelSerializer
from crm_site.api.viewsets import TenantReadOnlyViewSet
from crm_site.jobs.models import Job
from crm_site.jobs.services import cancel_job
from crm_site.jobs.tasks import nudge_on_commit

JOB_FIELDS = (
    *("id", "status", "progress", "stage", "error", "requested_by", "requested_at"),
    *("started_at", "finished_at", "cancel_requested_at"),
)


class JobSerializer(TenantModelSerializer):
    """What every job shows; a subclass names its model and adds its own fields, all read-only."""

    class Meta:
        fields: tuple[str, ...] = JOB_FIELDS
        read_only_fields: tuple[str, ...] = JOB_FIELDS


def accepted(view: Any, job: Job) -> Response:
    """Ring for a job just asked for; answer 202 with what it shows, its address in ``Location``."""
    nudge_on_commit(job)
    address = f"{view.request.path.rstrip('/')}/{job.pk}/"
    return Response(view.get_serializer(job).data, status=202, headers={"Location": address})


class JobViewSet(TenantReadOnlyViewSet):
    """The jobs of one kind: list, read, cancel. A subclass adds ``create``, which ends with
    ``return accepted(self, job)``."""

    ordering = "-requested_at"
    ordering_fields = ("requested_at",)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Ask for it to stop. What it has done by then stays. 409 once it has ended."""
        job = cancel_job(self.model, self.get_object().pk)  # type: ignore[type-var]
        return Response(self.get_serializer(job).data)
