"""Customers and what belongs to them, over HTTP."""

from typing import Any

from crm_site.api.viewsets import TenantModelViewSet, TenantReadOnlyViewSet
from customers.api.filters import ActivityFilter, NoteFilter
from customers.api.serializers import ActivitySerializer, NoteChangeSerializer, NoteSerializer
from customers.models import Activity, CustomerNote
from customers.services import notes


class ActivityViewSet(TenantReadOnlyViewSet):
    """What happened to customers. Activities are created, never changed."""

    model = Activity
    scope = "customers"
    permission_model = "customers.activity"
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    ordering = "-occurred_at"
    ordering_fields = ("occurred_at",)


class NoteViewSet(TenantModelViewSet):
    """Notes on customers. A private one is shown to its author alone."""

    model = CustomerNote
    scope = "customers"
    permission_model = "customers.customernote"
    serializer_class = NoteSerializer
    filterset_class = NoteFilter

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.actor.id)

    def get_serializer_class(self) -> Any:
        is_change = self.action in {"update", "partial_update"}
        return NoteChangeSerializer if is_change else NoteSerializer

    def create_row(self, values: dict[str, Any]) -> CustomerNote:
        return notes.write_note(actor=self.actor, **values)

    def change_row(self, row: CustomerNote, values: dict[str, Any]) -> CustomerNote:
        return notes.change_note(note=row, actor=self.actor, **values)

    def delete_row(self, row: CustomerNote) -> None:
        row.delete()
