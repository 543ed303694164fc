"""Runs, and every message they sent or did not send: looked at, never edited."""

from typing import Any

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.choices import DeliveryReason, DeliveryState, RunStatus
from campaigns.models import CampaignRun, Delivery
from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display

RUN_COLOURS = {
    RunStatus.SENDING: "success",
    RunStatus.MISSED: "warning",
    RunStatus.FAILED: "danger",
    RunStatus.CANCELLED: "danger",
}
STATE_COLOURS = {
    DeliveryState.ACCEPTED: "success",
    DeliveryState.UNKNOWN: "warning",
    DeliveryState.REJECTED: "danger",
    DeliveryState.CLAIMED: "info",
}


@admin.register(CampaignRun)
class CampaignRunAdmin(ReadOnlyTenantAdmin):
    list_display = ("campaign", "shown_status", "due", "in_segment", "messages", "finished")
    list_display_links = ("campaign",)
    list_filter = (("status", filters.ChoicesDropdownFilter),)
    list_select_related = ("campaign",)
    ordering = ("-occurrence_at", "-id")
    sortable_by = ()
    fields = ("campaign", "status", "occurrence_at", "target_count", "snapshot_at", "started_at",
              "completed_at", "error", "messages", "created_by")  # fmt: skip
    readonly_fields = ("messages",)
    empty_title = "Nothing was sent yet"
    empty_text = "Each time a campaign goes out, a line appears here."

    @display(description="Status", label=RUN_COLOURS)
    def shown_status(self, run: CampaignRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description="In the segment")
    def in_segment(self, run: CampaignRun) -> str:
        return intcomma(run.target_count)

    @display(description="Due")
    def due(self, run: CampaignRun) -> SafeString | str:
        return ago(run.occurrence_at)

    @display(description="Finished")
    def finished(self, run: CampaignRun) -> SafeString | str:
        return ago(run.completed_at)

    @display(description="Messages")
    def messages(self, run: CampaignRun) -> SafeString:
        url = reverse("admin:campaigns_delivery_changelist")
        return format_html(
            '<a class="crm-link" href="{}?run__id__exact={}">Show them</a>', url, run.pk
        )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyTenantAdmin):
    list_display = ("person", "channel", "shown_state", "reason_text", "of_campaign", "settled")
    list_display_links = ("person",)
    list_filter = (
        ("state", filters.ChoicesDropdownFilter),
        ("channel", filters.ChoicesDropdownFilter),
        ("campaign", filters.AutocompleteSelectFilter),
    )
    list_select_related = ("customer", "campaign")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    fields = ("customer", "campaign", "run", "channel", "template_id", "state", "reason", "error",
              "message_id", "idempotency_key", "attempts", "due_at", "first_requested_at",
              "settled_at", "request")  # fmt: skip
    empty_title = "No messages yet"
    empty_text = "Every message of a campaign is listed here, with what became of it."

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        is_linked_to = lookup in ("reason__exact", "customer__id__exact")
        return is_linked_to or super().lookup_allowed(lookup, value, request)

    @display(description="Customer")
    def person(self, delivery: Delivery) -> str:
        return str(delivery.customer)

    @display(description="State", label=STATE_COLOURS)
    def shown_state(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @display(description="Why")
    def reason_text(self, delivery: Delivery) -> str:
        known = dict(DeliveryReason.choices)
        reason = known.get(delivery.reason or "", "")
        return f"{reason}: {delivery.error}" if reason and delivery.error else reason or "–"

    @display(description="Campaign")
    def of_campaign(self, delivery: Delivery) -> str:
        return str(delivery.campaign) if delivery.campaign else "A journey"

    @display(description="Settled")
    def settled(self, delivery: Delivery) -> SafeString | str:
        return ago(delivery.settled_at)
