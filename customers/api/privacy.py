"""A customer's data told, erased and restored, and lists of customers as files."""

from typing import Any

from django.http import FileResponse, QueryDict
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.jobs import JOB_FIELDS, JobSerializer, JobViewSet, accepted
from crm_site.api.serializers import StrictSerializer, TenantModelSerializer
from crm_site.audit import services as audit
from crm_site.files.answers import attachment
from customers.api.facts import faults_refused
from customers.api.filters import CustomerFilter
from customers.api.serializers import CustomerSerializer
from customers.choices import ErasureReason, ExportFormat
from customers.models import CustomerExport, CustomerProfile, Erasure
from customers.services.erasure import erase_profile
from customers.services.export_columns import COLUMNS, USUAL_COLUMNS
from customers.services.exports import exportable, finished_file, may_have, request_list_export
from customers.services.holdings import subject_of
from customers.services.profiles import restore_profile
from customers.services.telling import tell_as_json
from customers.tasks import nudge_copy_on_commit

DOWNLOAD = OpenApiResponse(OpenApiTypes.BINARY, description="The file.")


class ErasureRequestSerializer(StrictSerializer):
    reason = serializers.ChoiceField(choices=ErasureReason.choices, default=ErasureReason.REQUEST)


class ErasureSerializer(TenantModelSerializer):
    """An erasure. ``profileIds`` are the customer, and all that was merged into or left of them;
    ``mentionedIn`` is what staff typed that still names them: the rules of segments."""

    class Meta:
        model = Erasure
        fields = (
            *("id", "profile_ids", "reason", "erased_at", "performed_by", "counts"),
            "mentioned_in",
        )


class PrivacyActions:
    """For the customers' viewset."""

    privacy_permissions = {
        "export": "customers.export_customerprofile",
        "erase": "customers.erase_customerprofile",
        "restore": "customers.delete_customerprofile",
    }
    # These find deleted customers, too.
    deleted_too = ("export", "erase", "restore")

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def export(self, request: Request, pk: str) -> FileResponse:
        """Everything held about the customer: one object with a list for each kind of thing.

        Private notes are in it for their author alone. Leaves an EXPORT entry in the audit log.
        """
        profile = exportable(self.get_object().pk)  # type: ignore[attr-defined]
        actor = self.actor  # type: ignore[attr-defined]
        file = tell_as_json(subject_of(profile, viewer=actor.id), now=timezone.now())
        audit.record("EXPORT", profile, actor=actor, metadata={"format": "JSON"})
        return FileResponse(
            file,
            content_type="application/json",
            as_attachment=True,
            filename=f"customer-{profile.pk}.json",
        )

    @extend_schema(request=ErasureRequestSerializer, responses=ErasureSerializer)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        """Erase everything personal about the customer, for good; counts stay.

        409 for one who was merged into another, or erased before.
        """
        said = self.read_body(serializer_class=ErasureRequestSerializer)  # type: ignore[attr-defined]
        customer = self.get_object()  # type: ignore[attr-defined]
        erasure = erase_profile(customer_id=customer.pk, actor=self.actor, **said)  # type: ignore[attr-defined]
        nudge_copy_on_commit()
        return Response(ErasureSerializer(erasure).data)

    @extend_schema(request=None, responses=CustomerSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Bring a deleted customer back. 409 where somebody has one of their identifiers now."""
        customer = self.get_object()  # type: ignore[attr-defined]
        with faults_refused():
            back = restore_profile(customer_id=customer.pk, actor=self.actor)  # type: ignore[attr-defined]
        return Response(CustomerSerializer(back).data)


class ExportRequestSerializer(StrictSerializer):
    """What a list shows and whom. ``filters`` are those of the list of customers, by name."""

    format = serializers.ChoiceField(
        choices=[ExportFormat.CSV, ExportFormat.XLSX], default=ExportFormat.CSV
    )
    columns = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(COLUMNS)),
        default=list(USUAL_COLUMNS),
        allow_empty=False,
    )
    filters = serializers.DictField(default=dict)


class ExportSerializer(JobSerializer):
    """An export. ``fileName`` is null until it is written, and once its time is over."""

    fileName = serializers.CharField(source="file.name", default=None, read_only=True)

    class Meta:
        model = CustomerExport
        fields = (
            *JOB_FIELDS,
            *("kind", "format", "customer", "columns", "filters", "row_count", "fileName"),
        )
        read_only_fields = fields


class ExportViewSet(JobViewSet):
    """Customers as files: lists, and everything about one. Gone after three days."""

    model = CustomerExport
    scope = "customers"
    permission_model = "customers.customerexport"
    serializer_class = ExportSerializer
    action_permissions = {
        "create": "customers.export_customerprofile",
        "cancel": "customers.export_customerprofile",
        "file": "customers.export_customerprofile",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("file")

    @extend_schema(request=ExportRequestSerializer, responses={202: ExportSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a file of the customers that ``filters`` find, as ``GET customers/`` would."""
        said = self.read_body(serializer_class=ExportRequestSerializer)
        job = request_list_export(
            people=self._people(said["filters"]),
            filters=said["filters"],
            actor=self.actor,
            columns=said["columns"],
            format=said["format"],
        )
        return accepted(self, job)

    def _people(self, filters: dict[str, Any]) -> Any:
        asked = QueryDict(mutable=True)
        for name, value in filters.items():
            asked.setlist(
                name, [str(item) for item in value] if isinstance(value, list) else [_text(value)]
            )
        unknown = [name for name in asked if name not in CustomerFilter.base_filters]
        if unknown:
            detail = ErrorDetail("There is no filter of this name.", code="unknown_parameter")
            raise ValidationError({f"filters.{unknown[0]}": [detail]})
        rows = CustomerProfile.objects.filter(deleted_at__isnull=True)
        if not any(name.partition("__")[0] == "status" for name in asked):
            rows = rows.filter(merged_at__isnull=True)
        found = CustomerFilter(data=asked, queryset=rows, request=self.request)
        if not found.is_valid():
            raise ValidationError(
                {f"filters.{name}": faults for name, faults in found.errors.items()}
            )
        return found.qs.order_by("pk")

    @extend_schema(responses={(200, "application/octet-stream"): DOWNLOAD})
    @action(detail=True)
    def file(self, request: Request, pk: str) -> FileResponse:
        """The file. 404 until it is written, and once its time is over."""
        job = self.get_object()
        if not may_have(job, self.actor):
            self.permission_denied(request, "Only who asked for it may have it.", "not_requester")
        return attachment(finished_file(job))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
