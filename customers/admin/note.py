"""Every note one may read. They are written on the customer's page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm_site.audit.actor import Actor
from crm_site.backoffice.filters import BooleanRadioFilter, ChoicesCheckboxFilter
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display
from crm_site.backoffice.people import names_of
from customers.admin import cells
from customers.admin.activity import customer_link
from customers.models import CustomerNote

SHOWN = 160


@admin.register(CustomerNote)
class CustomerNoteAdmin(ReadOnlyTenantAdmin):
    empty_title = "No notes yet"
    empty_text = "Open a customer and write what the next person at the desk should know."
    list_display = ("words", "customer_link", "kind", "author", "when")
    list_display_links = ("words",)
    list_filter = (("type", ChoicesCheckboxFilter), ("is_pinned", BooleanRadioFilter))
    list_select_related = ("customer",)
    ordering = ("-created_at", "-pk")
    sortable_by = ()
    fields = ("customer_link", "content", "kind", "is_pinned", "is_private", "author", "written")
    readonly_fields = ("customer_link", "kind", "author", "written")

    class Media:
        css = {"all": ["customers/customers.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        viewer = Actor.from_request(request).id
        notes: Any = super().get_queryset(request)
        return notes.visible_to(viewer).defer("customer__search_vector")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "customer" or super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        names = names_of(row.created_by for row in rows)
        for row in rows:
            row.author_name = names[row.created_by]
        changelist.result_list = rows
        return changelist

    @display(description="Note")
    def words(self, note: CustomerNote) -> str:
        return note.content if len(note.content) <= SHOWN else f"{note.content[:SHOWN]} …"

    @display(description="Customer")
    def customer_link(self, note: CustomerNote) -> str:
        return customer_link(note.customer)

    @display(description="Kind")
    def kind(self, note: CustomerNote) -> str:
        return cells.pill("Only you" if note.is_private else note.get_type_display())

    @display(description="By")
    def author(self, note: CustomerNote) -> str:
        known = getattr(note, "author_name", None)
        return known or names_of([note.created_by])[note.created_by]

    @display(description="When")
    def when(self, note: CustomerNote) -> str:
        return ago(note.created_at)

    @display(description="Written")
    def written(self, note: CustomerNote) -> str:
        return exactly(note.created_at)
