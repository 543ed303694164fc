"""Segments over HTTP."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.viewsets import TenantModelViewSet, TenantViewSet, list_action
from customers.models import CustomerProfile
from segments.api import filters, serializers
from segments.models import CustomerSegment, CustomerSegmentMembership
from segments.services.authoring import delete_segment, save_segment
from segments.services.matching import explain
from segments.services.membership import change_members
from segments.services.previews import preview
from segments.services.refreshing import request_refresh
from segments.tasks import nudge_on_commit


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
        "change_members": "segments.add_customersegmentmembership",
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
        parameters=[OpenApiParameter("customer", OpenApiTypes.UUID, required=True)],
        responses=serializers.ExplanationSerializer,
    )
    @action(detail=True)
    def explain(self, request: Request, pk: str | None = None) -> Response:
        """Why a customer is in it or not: each rule, met or not, and the customer's value."""
        segment = self.get_object()
        customer = _customer(_customer_id(request))
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


def _customer_id(request: Request) -> UUID:
    try:
        return UUID(request.query_params.get("customer", ""))
    except ValueError:
        detail = ErrorDetail("The id of a customer is needed.", code="required")
        raise ValidationError({"customer": [detail]}) from None
