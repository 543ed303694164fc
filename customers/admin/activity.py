"""Everything that happened, to anybody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from crm_site.backoffice.filters import ChoicesCheckboxFilter, RangeDateTimeFilter
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display
from customers.admin import cells
from customers.admin.timeline import SOURCES
from customers.models import Activity


@admin.register(Activity)
class ActivityAdmin(ReadOnlyTenantAdmin):
    empty_title = "Nothing has happened yet"
    empty_text = "Bookings, payments, memberships and messages show here as their events arrive."
    list_display = ("when", "customer_link", "title", "kind", "source")
    list_display_links = ("title",)
    list_filter = (("category", ChoicesCheckboxFilter), ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("customer",)
    ordering = ("-occurred_at", "-pk")
    sortable_by = ()
    fields = (
        *("customer_link", "title", "description", "kind", "type", "channel", "source"),
        *("occurred", "processed", "metadata"),
    )
    readonly_fields = ("customer_link", "kind", "source", "occurred", "processed")

    class Media:
        css = {"all": ["customers/customers.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("customer__search_vector")

    @display(description="When")
    def when(self, activity: Activity) -> str:
        return ago(activity.occurred_at)

    @display(description="Happened")
    def occurred(self, activity: Activity) -> str:
        return exactly(activity.occurred_at)

    @display(description="Reached us")
    def processed(self, activity: Activity) -> str:
        return exactly(activity.processed_at)

    @display(description="Customer")
    def customer_link(self, activity: Activity) -> str:
        return customer_link(activity.customer)

    @display(description="Kind")
    def kind(self, activity: Activity) -> str:
        return cells.pill(activity.get_category_display())

    @display(description="From")
    def source(self, activity: Activity) -> str:
        return SOURCES.get(activity.source_service, activity.source_service)


def customer_link(customer: Any) -> str:
    """Their name, leading to their page."""
    url = reverse("admin:customers_customerprofile_change", args=[customer.pk])
    return format_html('<a class="crm-link" href="{}">{}</a>', url, customer.name)
