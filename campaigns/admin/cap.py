"""How often a channel may be used to write to one person."""

from django.contrib import admin

from campaigns.models import FrequencyCap
from crm_site.backoffice.options import TenantModelAdmin, display


@admin.register(FrequencyCap)
class FrequencyCapAdmin(TenantModelAdmin):
    list_display = ("channel", "shown_cap")
    sortable_by = ()
    ordering = ("channel",)
    fields = ("channel", ("messages", "days"))
    allows_delete = True
    empty_title = "Every channel follows the club settings"
    empty_text = (
        "Add a channel here to give it a cap of its own: two e-mails a week, say, but one SMS a "
        "month. Leave the number of messages blank to let a channel go without any."
    )

    @display(description="At most")
    def shown_cap(self, cap: FrequencyCap) -> str:
        return f"{cap.messages} in {cap.days} days" if cap.messages else "As many as there are"
