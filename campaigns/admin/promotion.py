"""How competitions and club events are promoted. Looked at only: the engine comes later."""

from django.contrib import admin

from campaigns.models import EventPromotion
from crm_site.backoffice import filters
from crm_site.backoffice.options import ReadOnlyTenantAdmin


@admin.register(EventPromotion)
class EventPromotionAdmin(ReadOnlyTenantAdmin):
    list_display = ("source_id", "source_type", "club", "segment", "announce_at", "is_active")
    list_filter = (
        ("source_type", filters.ChoicesDropdownFilter),
        ("is_active", filters.BooleanRadioFilter),
    )
    list_select_related = ("club", "segment")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    empty_title = "No promotions yet"
    empty_text = "Competitions and club events that are announced by themselves are listed here."
