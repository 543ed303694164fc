"""Segments over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.jobs import JobViewSet, accepted
from crm_site.api.viewsets import TenantModelViewSet, TenantViewSet, list_action
from customers.models import CustomerProfile
from customers.services.finding import IdentifierKind
from segments.api import filters, serializers
from segments.models import CustomerSegment, CustomerSegmentMembership, SegmentTrial
from segments.services.authoring import delete_segment, save_segment
from segments.services.history import members_at, overlap, sizes
from segments.services.importing import import_members
from segments.services.lists import Line
from segments.services.matching import explain
from segments.services.membership import change_members
from segments.services.previews import preview
from segments.services.refreshing import approve_refresh, request_refresh
from segments.services.trials import request_trial
from segments.services.usage import uses_of
from segments.tasks import nudge_on_commit

MOST_DAYS = 400


class SegmentViewSet(TenantModelViewSet):
    """A named set of customers, found by rules or kept by hand.

    Saving rules queues a refresh; `lastRefreshedAt` moves once it is done.
    """

    model = CustomerSegment
    scope = "segments"
    permission_model = "segments.customersegment"
    serializer_class = serializers.SegmentSerializer
    filterset_class = filters.SegmentFilter
    ordering_fields = ("created_at", "updated_at", "name", "member_count")
    read_actions = ("preview",)
    action_permissions = {
        "refresh": "segments.refresh_customersegment",
        "approve": "segments.refresh_customersegment",
        "change_members": "segments.add_customersegmentmembership",
        "import_members": "segments.add_customersegmentmembership",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(deleted_at__isnull=True)

    def create_row(self, values: dict[str, Any]) -> CustomerSegment:
        return self._save(CustomerSegment(**values))

    def change_row(self, row: CustomerSegment, values: dict[str, Any]) -> CustomerSegment:
        for name, value in values.items():
            setattr(row, name, value)
        return self._save(row)

    def _save(self, segment: CustomerSegment) -> CustomerSegment:
        nudge_on_commit(save_segment(segment, actor=self.actor, now=timezone.now()))
        return segment

    def delete_row(self, row: CustomerSegment) -> None:
        delete_segment(row, now=timezone.now())

    @extend_schema(request=serializers.QuestionSerializer, responses=serializers.PreviewSerializer)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """What rules would find now, without saving them. Changes nothing."""
        body = self.read_body(serializer_class=serializers.QuestionSerializer)
        found = preview(body["criteria"], body["combinator"], now=timezone.now())
        return Response(serializers.PreviewSerializer(found).data)

    @extend_schema(request=None, responses={202: serializers.AcceptedSerializer})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str | None = None) -> Response:
        """Queue a refresh, or name the one that waits. Over when `lastRefreshedAt` moves."""
        segment = self.get_object()
        queued = request_refresh(segment_id=segment.pk, actor=self.actor, now=timezone.now())
        nudge_on_commit(queued)
        return Response(serializers.AcceptedSerializer(queued).data, status=202)

    @extend_schema(request=None, responses={202: serializers.AcceptedSerializer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Let a change of over half of the members through that waits for a person."""
        segment = self.get_object()
        queued = approve_refresh(segment_id=segment.pk, actor=self.actor, now=timezone.now())
        nudge_on_commit(queued)
        return Response(serializers.AcceptedSerializer(queued).data, status=202)

    @list_action(
        serializer_class=serializers.MembershipSerializer,
        filterset_class=None,
        ordering="customer",
        ordering_fields=("customer",),
    )
    def members(self, request: Request, pk: str | None = None) -> Response:
        """Who is in it as of the last refresh."""
        return self.answer_page(CustomerSegmentMembership.objects.filter(segment=self.get_object()))

    @extend_schema(
        request=serializers.MemberChangesSerializer,
        responses=serializers.MembersChangedSerializer,
    )
    @members.mapping.post
    def change_members(self, request: Request, pk: str | None = None) -> Response:
        """Add and remove members of a segment by hand. Who is in already stays; all or nothing."""
        body = self.read_body(serializer_class=serializers.MemberChangesSerializer)
        done = change_members(
            segment=self.get_object(), actor=self.actor, now=timezone.now(), **body
        )
        return Response(serializers.MembersChangedSerializer(done).data)

    @extend_schema(
        request=serializers.IdentifiersSerializer, responses=serializers.ImportReportSerializer
    )
    @action(detail=True, methods=["post"], url_path="import")
    def import_members(self, request: Request, pk: str | None = None) -> Response:
        """Add members of a list by what is known of them. Says who was not found; nobody leaves."""
        body = self.read_body(serializer_class=serializers.IdentifiersSerializer)
        report = import_members(
            segment=self.get_object(),
            lines=[Line(number, text) for number, text in enumerate(body["identifiers"], start=1)],
            kind=IdentifierKind(body["kind"]),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(serializers.ImportReportSerializer(report).data)

    @list_action(
        serializer_class=serializers.PastMemberSerializer,
        filterset_class=filters.PastMemberFilter,
        ordering="id",
        ordering_fields=("id",),
        url_path="members-at",
    )
    def members_at(self, request: Request, pk: str | None = None) -> Response:
        """Who was in it at a moment, as far back as the history is kept."""
        now = timezone.now()
        return self.answer_page(members_at(self.get_object(), _moment(request, now), now=now))

    @extend_schema(
        parameters=[OpenApiParameter("days", OpenApiTypes.INT, description="1 to 400; 90.")],
        responses=serializers.SizeSerializer(many=True),
    )
    @action(detail=True, pagination_class=None, filterset_class=None)
    def sizes(self, request: Request, pk: str | None = None) -> Response:
        """How many members at the end of each of the last days, oldest first."""
        found = sizes(self.get_object(), days=_days(request), now=timezone.now())
        return Response(serializers.SizeSerializer(found, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("with", OpenApiTypes.UUID, required=True)],
        responses=serializers.OverlapSerializer,
    )
    @action(detail=True)
    def overlap(self, request: Request, pk: str | None = None) -> Response:
        """How many are in this segment, in another, and in both."""
        other = get_object_or_404(self.get_queryset(), pk=_uuid(request, "with"))
        return Response(serializers.OverlapSerializer(overlap(self.get_object(), other)).data)

    @extend_schema(responses=serializers.UseSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def uses(self, request: Request, pk: str | None = None) -> Response:
        """What asks who is in it. A live use keeps it from being deleted."""
        return Response(serializers.UseSerializer(uses_of(self.get_object()), many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("customer", OpenApiTypes.UUID, required=True)],
        responses=serializers.ExplanationSerializer,
    )
    @action(detail=True)
    def explain(self, request: Request, pk: str | None = None) -> Response:
        """Why a customer is in it or not: each rule, met or not, and the customer's value."""
        segment = self.get_object()
        customer = _customer(_uuid(request, "customer"))
        why = explain(segment, customer, now=timezone.now())
        return Response(serializers.ExplanationSerializer(why).data)

    @list_action(
        serializer_class=serializers.ChangeSerializer,
        filterset_class=filters.ChangeFilter,
        ordering="-changed_at",
        ordering_fields=("changed_at",),
    )
    def history(self, request: Request, pk: str | None = None) -> Response:
        """Every entry and exit, newest first."""
        return self.answer_page(self.get_object().membership_changes.all())

    @list_action(
        serializer_class=serializers.RefreshSerializer,
        filterset_class=filters.RefreshFilter,
        ordering="-requested_at",
        ordering_fields=("requested_at",),
    )
    def refreshes(self, request: Request, pk: str | None = None) -> Response:
        """Every refresh: when, what it changed, and why it failed."""
        return self.answer_page(self.get_object().refreshes.all())


class SegmentTrialViewSet(JobViewSet):
    """Models tried on people they have not seen. Poll its address for its `quality`.

    A segment by model is saved only after a trial of the same question within seven days.
    """

    model = SegmentTrial
    scope = "segments"
    permission_model = "segments.customersegment"
    serializer_class = serializers.TrialSerializer
    filterset_class = filters.TrialFilter
    action_permissions = dict.fromkeys(("create", "cancel"), "segments.add_customersegment")

    @extend_schema(
        request=serializers.TrialRequestSerializer, responses={202: serializers.TrialSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Try a model; answers with the trial that counts already, where there is one."""
        body = self.read_body(serializer_class=serializers.TrialRequestSerializer)
        job = request_trial(question=body["question"], actor=self.actor, now=timezone.now())
        return accepted(self, job)


class CustomerSegmentsViewSet(TenantViewSet):
    """The segments a customer is in."""

    model = CustomerSegmentMembership
    scope = "segments"
    permission_model = "segments.customersegment"
    serializer_class = serializers.MembershipSerializer
    ordering = "added_at"
    ordering_fields = ("added_at",)

    def list(self, request: Request, pk: str | None = None) -> Response:
        """As of each segment's last refresh."""
        customer = _customer(self.kwargs["pk"])
        held = CustomerSegmentMembership.objects.filter(
            customer=customer, segment__deleted_at__isnull=True
        )
        return self.answer_page(held)


def _customer(customer_id: UUID) -> CustomerProfile:
    found: CustomerProfile = get_object_or_404(
        CustomerProfile.objects.filter(deleted_at__isnull=True), pk=customer_id
    )
    return found


def _uuid(request: Request, name: str) -> UUID:
    try:
        return UUID(request.query_params.get(name, ""))
    except ValueError:
        raise _wanted(name, "An id is needed.", "required") from None


def _moment(request: Request, now: datetime) -> datetime:
    try:
        found = parse_datetime(request.query_params.get("at", now.isoformat()))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _wanted("at", "A time with its offset is needed, as in 2026-03-31T14:00:00Z.")
    return found


def _days(request: Request) -> int:
    text = request.query_params.get("days", "90")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_DAYS):
        raise _wanted("days", f"A whole number from 1 to {MOST_DAYS} is needed.")
    return int(text)


def _wanted(name: str, message: str, code: str = "invalid") -> ValidationError:
    return ValidationError({name: [ErrorDetail(message, code=code)]})
