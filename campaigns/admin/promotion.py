"""How competitions and club events are promoted. Looked at only: the engine comes later."""

from django.contrib import admin
from django.utils.safestring import SafeString

from campaigns.models import EventPromotion
from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display


@admin.register(EventPromotion)
class EventPromotionAdmin(ReadOnlyTenantAdmin):
    list_display = ("event", "kind", "club", "segment", "announced", "in_use")
    list_filter = (
        ("source_type", filters.ChoicesDropdownFilter),
        ("is_active", filters.BooleanRadioFilter),
    )
    list_select_related = ("club", "segment")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    empty_title = "No promotions yet"
    empty_text = "Competitions and club events that are announced by themselves are listed here."

    @display(description="Event")
    def event(self, promotion: EventPromotion) -> str:
        return promotion.source_id

    @display(description="Kind")
    def kind(self, promotion: EventPromotion) -> str:
        return promotion.get_source_type_display()

    @display(description="Announced")
    def announced(self, promotion: EventPromotion) -> SafeString | str:
        return ago(promotion.announce_at)

    @display(description="In use", boolean=True)
    def in_use(self, promotion: EventPromotion) -> bool:
        return promotion.is_active
