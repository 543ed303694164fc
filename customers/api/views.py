"""Customers and what belongs to them, over HTTP."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.viewsets import (
    TenantCreateOnlyViewSet,
    TenantModelViewSet,
    TenantReadOnlyViewSet,
    list_action,
)
from customers.api.facts import faults_refused
from customers.api.filters import (
    ActivityFilter,
    AliasFilter,
    CustomerFilter,
    DuplicateFilter,
    NoteFilter,
    SyncLogFilter,
)
from customers.api.merging import MergeActions, PairMergeActions
from customers.api.privacy import PrivacyActions
from customers.api.scores import ScoresSerializer
from customers.api.serializers import (
    ActivitySerializer,
    AliasSerializer,
    CustomerSerializer,
    DuplicateSerializer,
    EntrySerializer,
    NoteOfCustomerSerializer,
    NoteSerializer,
    ResolutionSerializer,
    SyncLogSerializer,
    UpsertResultsSerializer,
)
from customers.api.timeline import TimelinePagination
from customers.models import (
    Activity,
    CustomerNote,
    CustomerProfile,
    DuplicateCandidate,
    SyncLog,
)
from customers.services import notes
from customers.services.activities import create_activity
from customers.services.duplicates import resolve_duplicate
from customers.services.profiles import (
    MAX_BATCH,
    create_profile,
    delete_profile,
    update_profile,
    upsert_profiles,
)
from customers.services.replaying import replay_event
from customers.services.score_reading import explain_scores, score_history
from customers.tasks import nudge


class CustomerViewSet(MergeActions, PrivacyActions, TenantModelViewSet):
    """Customers as the club knows them.

    A merged profile is read by its id and says where it went; lists leave it out unless they ask
    for ``status=MERGED``. Deleted ones are gone from here.
    """

    model = CustomerProfile
    scope = "customers"
    permission_model = "customers.customerprofile"
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    action_permissions = {
        "batch": "customers.add_customerprofile",
        **dict.fromkeys(("merge", "unmerge"), "customers.merge_customerprofile"),
        **PrivacyActions.privacy_permissions,
    }
    ordering_fields = ("created_at", "last_activity_at", "engagement_score")

    def get_queryset(self) -> Any:
        rows = super().get_queryset().defer("search_vector")
        if self.action not in self.deleted_too:
            rows = rows.filter(deleted_at__isnull=True)
        is_plain_list = self.action == "list" and not self._asks_for_status()
        return rows.filter(merged_at__isnull=True) if is_plain_list else rows

    def create_row(self, values: dict[str, Any]) -> CustomerProfile:
        with faults_refused():
            return create_profile(values=values, actor=self.actor)

    def change_row(self, row: CustomerProfile, values: dict[str, Any]) -> CustomerProfile:
        with faults_refused():
            return update_profile(customer_id=row.pk, values=values, actor=self.actor)

    def delete_row(self, row: CustomerProfile) -> None:
        delete_profile(customer_id=row.pk, actor=self.actor)

    @extend_schema(request=CustomerSerializer(many=True), responses=UpsertResultsSerializer)
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Make or bring up to date up to 1,000 customers, found by their identity keys.

        One result each, in order; one that is rejected does not hold up the others. What an item
        leaves out stays as it is.
        """
        items = request.data
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
            raise ValidationError(f"Send an array of 1 to {MAX_BATCH:,} profiles.")
        results = upsert_profiles(items, actor=self.actor)
        return Response(UpsertResultsSerializer({"results": results}).data)

    def _asks_for_status(self) -> bool:
        return any(name.partition("__")[0] == "status" for name in self.request.query_params)

    @list_action(
        serializer_class=EntrySerializer, pagination_class=TimelinePagination, filterset_class=None
    )
    def timeline(self, request: Request, pk: str) -> Response:
        """What happened to the customer and what staff noted, newest first."""
        customer_id = self.get_object().pk
        pages: Any = self.paginator
        return pages.answer(request, customer_id=customer_id, viewer=self.actor.id)

    @extend_schema(responses=ScoresSerializer)
    @action(detail=True, methods=["get"])
    def scores(self, request: Request, pk: str) -> Response:
        """The customer's scores, what each is made of, and how they went in the past year."""
        customer = self.get_object()
        told = {
            "customer": customer,
            "why": explain_scores(customer_id=customer.pk),
            "history": score_history(customer_id=customer.pk, now=timezone.now()),
        }
        return Response(ScoresSerializer(told).data)

    @list_action(
        permission_model="customers.customernote",
        serializer_class=NoteOfCustomerSerializer,
        filterset_class=NoteFilter,
        ordering_fields=("created_at",),
    )
    def notes(self, request: Request, pk: str) -> Response:
        """Notes on the customer."""
        rows = CustomerNote.objects.filter(customer=self.get_object())
        return self.answer_page(rows.visible_to(self.actor.id))

    @extend_schema(responses={201: NoteOfCustomerSerializer})
    @notes.mapping.post
    def add_note(self, request: Request, pk: str) -> Response:
        """Write a note on the customer."""
        customer_id = self.get_object().pk
        note = notes.add_note(customer_id=customer_id, actor=self.actor, **self.read_body())
        return Response(self.get_serializer(note).data, status=201)

    @list_action(
        permission_model="customers.identityalias",
        serializer_class=AliasSerializer,
        filterset_class=AliasFilter,
        ordering="created_at",
        ordering_fields=("created_at",),
    )
    def aliases(self, request: Request, pk: str) -> Response:
        """The customer's other identifiers."""
        return self.answer_page(self.get_object().aliases.all())


class ActivityViewSet(TenantCreateOnlyViewSet):
    """What happened to customers. Activities are created, never changed."""

    model = Activity
    scope = "customers"
    permission_model = "customers.activity"
    action_permissions = {"create": "customers.change_customerprofile"}
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    ordering = "-occurred_at"
    ordering_fields = ("occurred_at",)

    def create_row(self, values: dict[str, Any]) -> Activity:
        customer = values.pop("customer")
        return create_activity(customer_id=customer.pk, actor=self.actor, **values)


class NoteViewSet(TenantModelViewSet):
    """Notes on customers. A private one is shown to its author alone."""

    model = CustomerNote
    scope = "customers"
    permission_model = "customers.customernote"
    action_permissions = dict.fromkeys(("finish", "reopen"), "customers.change_customernote")
    serializer_class = NoteSerializer
    filterset_class = NoteFilter

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.actor.id)

    def get_serializer_class(self) -> Any:
        is_change = self.action in {"update", "partial_update"}
        return NoteOfCustomerSerializer if is_change else NoteSerializer

    def create_row(self, values: dict[str, Any]) -> CustomerNote:
        customer = values.pop("customer")
        return notes.add_note(customer_id=customer.pk, actor=self.actor, **values)

    def change_row(self, row: CustomerNote, values: dict[str, Any]) -> CustomerNote:
        return notes.change_note(note_id=row.pk, actor=self.actor, **values)

    def delete_row(self, row: CustomerNote) -> None:
        notes.delete_note(note_id=row.pk, actor=self.actor)

    @extend_schema(request=None, responses=NoteSerializer)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, pk: str) -> Response:
        """Say that what the note's follow-up day was for is done. No body."""
        return self._finish(is_done=True)

    @extend_schema(request=None, responses=NoteSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Say that it is not done after all. No body."""
        return self._finish(is_done=False)

    def _finish(self, *, is_done: bool) -> Response:
        note = notes.finish_follow_up(
            note_id=self.get_object().pk, actor=self.actor, is_done=is_done
        )
        return Response(self.get_serializer(note).data)


class DuplicateViewSet(PairMergeActions, TenantReadOnlyViewSet):
    """Pairs of profiles that may be one person."""

    model = DuplicateCandidate
    scope = "customers"
    permission_model = "customers.duplicatecandidate"
    action_permissions = dict.fromkeys(("merge", "resolve"), "customers.merge_customerprofile")
    serializer_class = DuplicateSerializer
    filterset_class = DuplicateFilter
    ordering = "-match_score"
    ordering_fields = ("match_score", "created_at")

    @extend_schema(request=ResolutionSerializer, responses=DuplicateSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Say that the two are different people, or leave the pair alone."""
        ruling = self.read_body(serializer_class=ResolutionSerializer)
        pair = resolve_duplicate(pair=self.get_object(), actor=self.actor, **ruling)
        return Response(self.get_serializer(pair).data)


class SyncLogViewSet(TenantReadOnlyViewSet):
    """Events that other services sent, and what became of them."""

    model = SyncLog
    read_scope = "audit:read"
    write_scope = "events:write"
    permission_model = "customers.synclog"
    serializer_class = SyncLogSerializer
    filterset_class = SyncLogFilter
    action_permissions = {"replay": "customers.replay_synclog"}

    @extend_schema(request=None, responses={202: SyncLogSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Process an event again that failed or that nobody understood."""
        event = replay_event(event_id=self.get_object().pk, actor=self.actor)
        tenant_id = str(event.tenant_id)
        transaction.on_commit(lambda: nudge(tenant_id), robust=True)
        return Response(self.get_serializer(event).data, status=202)
