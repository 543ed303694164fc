"""What came of messages, one line per event."""

from django.contrib import admin
from django.utils.safestring import SafeString

from campaigns.choices import CampaignInteractionType as Kind
from campaigns.models import CampaignInteraction
from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display

COLOURS = {
    Kind.OPENED: "success",
    Kind.CLICKED: "success",
    Kind.BOUNCED: "warning",
    Kind.UNSUBSCRIBED: "danger",
    Kind.COMPLAINED: "danger",
}


@admin.register(CampaignInteraction)
class CampaignInteractionAdmin(ReadOnlyTenantAdmin):
    list_display = ("person", "what", "channel", "campaign", "link_url", "happened")
    list_display_links = ("person",)
    list_filter = (
        ("type", filters.ChoicesDropdownFilter),
        ("channel", filters.ChoicesDropdownFilter),
        ("campaign", filters.AutocompleteSelectFilter),
    )
    list_select_related = ("customer", "campaign")
    ordering = ("-occurred_at", "-id")
    sortable_by = ()
    empty_title = "No responses yet"
    empty_text = "When somebody gets, opens or clicks a campaign's message, it is listed here."

    @display(description="Customer")
    def person(self, interaction: CampaignInteraction) -> str:
        return str(interaction.customer)

    @display(description="What", label=COLOURS)
    def what(self, interaction: CampaignInteraction) -> tuple[str, str]:
        return interaction.type, interaction.get_type_display()

    @display(description="When")
    def happened(self, interaction: CampaignInteraction) -> SafeString | str:
        return ago(interaction.occurred_at)
