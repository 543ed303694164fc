"""Importing a file of customers over HTTP."""

import json
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.filters import TenantFilterSet
from crm_site.api.jobs import JOB_FIELDS, JobSerializer, JobViewSet, accepted
from crm_site.api.parsers import JsonParser
from crm_site.api.serializers import StrictSerializer
from crm_site.errors import DomainError
from crm_site.files.services import read_file
from crm_site.jobs.tasks import nudge_on_commit
from customers.choices import OnConflict
from customers.models import CustomerImport
from customers.services.importing.plans import DATE_ORDERS, Plan
from customers.services.importing.requesting import (
    FirstLook,
    keep_upload,
    look_at,
    request_import,
    request_undo,
    too_big,
)


class ImportFilter(TenantFilterSet):
    class Meta:
        model = CustomerImport
        fields = ("status", "kind")


class ImportSerializer(JobSerializer):
    """An import, a check or an undoing, and its counts."""

    class Meta(JobSerializer.Meta):
        model = CustomerImport
        fields = (
            *JOB_FIELDS,
            *("kind", "file_name", "file_hash", "undoes", "done_rows"),
            *("created_count", "updated_count", "unchanged_count", "refused_count"),
            *("removed_count", "restored_count", "left_count"),
        )
        read_only_fields = fields


class UploadSerializer(StrictSerializer):
    """The form of ``multipart/form-data``."""

    file = serializers.FileField(help_text="CSV or .xlsx, at most UPLOAD_MAX_BYTES.")
    columns = serializers.CharField(
        required=False,
        help_text='JSON: each header and its field, {"Mail": "email", "Notes": null}. Without it, '
        "headers are the data model's names.",
    )
    onConflict = serializers.ChoiceField(choices=OnConflict.choices, default=OnConflict.OVERWRITE)
    dateOrder = serializers.ChoiceField(choices=list(DATE_ORDERS), default="ISO")
    addTags = serializers.CharField(
        required=False, help_text="Tags for everybody, separated by commas."
    )
    dryRun = serializers.BooleanField(default=False)


class ImportViewSet(JobViewSet):
    """Imports of customers from files. Each is long work: poll its address until it has ended."""

    model = CustomerImport
    scope = "customers"
    permission_model = "customers.customerimport"
    serializer_class = ImportSerializer
    filterset_class = ImportFilter
    parser_classes = (MultiPartParser, JsonParser)
    action_permissions = dict.fromkeys(
        ("create", "cancel", "undo", "refused"), "customers.add_customerimport"
    )

    @extend_schema(
        request={"multipart/form-data": UploadSerializer}, responses={202: ImportSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Upload a file and have it imported; with ``dryRun`` only checked."""
        body = UploadSerializer(data=request.data)
        if getattr(request._request, "is_upload_too_big", False):
            return Response(
                {
                    "type": "about:blank",
                    "title": "Content too large",
                    "status": 413,
                    "detail": too_big(),
                    "code": "file_too_big",
                },
                status=413,
                content_type="application/problem+json",
            )
        body.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                job = self._request(body.validated_data)
        except DomainError as error:
            raise ValidationError({error.path or "file": [error.message]}) from error
        return accepted(self, job)

    def _request(self, said: dict[str, Any]) -> CustomerImport:
        upload = said["file"]
        file = keep_upload(
            name=upload.name, chunks=upload.chunks(), actor=self.actor, now=timezone.now()
        )
        look = look_at(file)
        tags = [tag.strip() for tag in said.get("addTags", "").split(",") if tag.strip()]
        plan = Plan(
            columns=_columns(look, said.get("columns")),
            layout=look.layout,
            add_tags=tuple(tags),
            on_conflict=said["onConflict"],
            date_order=said["dateOrder"],
        )
        return request_import(file=file, plan=plan, actor=self.actor, is_check=said["dryRun"])

    @extend_schema(request=None, responses={202: ImportSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: Any = None) -> Response:
        """Take an import back; answers with the job that does so. 409 where it cannot be."""
        job = request_undo(job=self.get_object(), actor=self.actor, now=timezone.now())
        nudge_on_commit(job)
        address = f"{request.path.split('/import/')[0]}/import/{job.pk}/"
        return Response(self.get_serializer(job).data, status=202, headers={"Location": address})

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, "The refused rows.")}
    )
    @action(detail=True)
    def refused(self, request: Request, pk: Any = None) -> HttpResponse:
        """The refused rows as CSV: line, column and reason, then the row. 404 where none was."""
        job = self.get_object()
        if job.refused_file is None:
            raise NotFound("No row was refused.")
        return HttpResponse(
            b"".join(read_file(job.refused_file)), content_type="text/csv; charset=utf-8"
        )


def _columns(look: FirstLook, told: str | None) -> tuple[str | None, ...]:
    if not told:
        return tuple(look.header)
    try:
        named = json.loads(told)
    except ValueError:
        named = None
    if not isinstance(named, dict) or not all(
        isinstance(name, str | None) for name in named.values()
    ):
        raise ValidationError({"columns": ["A JSON object of headers and fields is expected."]})
    missing = sorted(set(named) - set(look.header))
    if missing:
        raise ValidationError({"columns": [f"The file has no column {missing[0]!r}."]})
    return tuple(named.get(header) for header in look.header)
