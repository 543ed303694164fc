"""The event inbox: what other services told us, and what became of it."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from crm_site.audit.actor import Actor
from crm_site.backoffice.filters import ChoicesCheckboxFilter, DropdownFilter, RangeDateTimeFilter
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import DialogForm, ReadOnlyTenantAdmin, dialog_action, display
from crm_site.backoffice.widgets import Select
from crm_site.tenancy.context import require_tenant_id
from customers.admin import cells
from customers.admin.timeline import SOURCES
from customers.choices import SyncStatus
from customers.models import SyncLog
from customers.services.replaying import replay_event, replay_events
from customers.tasks import nudge

TONES = {
    SyncStatus.PENDING: "blue",
    SyncStatus.PROCESSING: "blue",
    SyncStatus.SUCCESS: "green",
    SyncStatus.FAILED: "red",
    SyncStatus.SKIPPED: "plain",
}
# Failures are grouped among the newest so many; more of them are one cause anyhow.
GROUPED_FAILURES = 1_000
SHOWN_CAUSES = 5
CAUSE_LENGTH = 160


class SourceFilter(DropdownFilter):
    title = "from"
    parameter_name = "source_service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(source, name) for source, name in SOURCES.items() if source != "crm"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(source_service=self.value()) if self.value() else queryset


class TypeFilter(DropdownFilter):
    title = "event"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        latest = SyncLog.objects.order_by("-created_at", "-pk").values("event_type")[:5_000]
        types = SyncLog.objects.filter(pk__in=latest.values("pk"))
        names = types.values_list("event_type", flat=True).distinct().order_by("event_type")
        return [(name, name) for name in names] or [("", "Nothing yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event_type=self.value()) if self.value() else queryset


class ReplayManyForm(DialogForm):
    source = forms.ChoiceField(
        required=False,
        choices=[("", "Every service"), *((s, n) for s, n in SOURCES.items() if s != "crm")],
        widget=Select,
        label="From",
    )


@admin.register(SyncLog)
class SyncLogAdmin(ReadOnlyTenantAdmin):
    empty_title = "No events yet"
    empty_text = (
        "Give SCL, TeeTime and Messaging the address of a webhook (under Webhooks), and what they "
        "report shows here."
    )
    list_display = ("received", "event", "source", "status_pill", "problem", "tries")
    list_display_links = ("event",)
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        SourceFilter,
        TypeFilter,
        ("created_at", RangeDateTimeFilter),
    )
    ordering = ("-created_at", "-pk")
    sortable_by = ()
    list_before_template = "customers/failures.html"
    fields = (
        *("event", "source", "status_pill", "problem_text", "tries", "happened", "received_at"),
        *("processed", "customer_link", "event_id", "payload", "conflict_count", "conflict"),
    )
    readonly_fields = (
        *("event", "source", "status_pill", "problem_text", "tries", "happened", "received_at"),
        *("processed", "customer_link", "payload", "conflict"),
    )
    actions_detail = ("replay",)
    actions_list = ("replay_failed",)

    class Media:
        css = {"all": ["customers/customers.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "causes": _causes()})

    @display(description="Received")
    def received(self, row: SyncLog) -> str:
        return ago(row.created_at)

    @display(description="Received")
    def received_at(self, row: SyncLog) -> str:
        return exactly(row.created_at)

    @display(description="Event")
    def event(self, row: SyncLog) -> str:
        return row.event_type

    @display(description="From")
    def source(self, row: SyncLog) -> str:
        return SOURCES.get(row.source_service, row.source_service)

    @display(description="Status")
    def status_pill(self, row: SyncLog) -> str:
        return cells.pill(row.get_status_display(), TONES[SyncStatus(row.status)])

    @display(description="Why")
    def problem(self, row: SyncLog) -> str:
        error = row.error or ""
        return error if len(error) <= CAUSE_LENGTH else f"{error[:CAUSE_LENGTH]} …"

    @display(description="What went wrong")
    def problem_text(self, row: SyncLog) -> str:
        return row.error or "Nothing"

    @display(description="Tries")
    def tries(self, row: SyncLog) -> int:
        return row.attempts

    @display(description="Happened")
    def happened(self, row: SyncLog) -> str:
        return exactly(row.occurred_at)

    @display(description="Processed")
    def processed(self, row: SyncLog) -> str:
        return exactly(row.processed_at)

    @display(description="Customer")
    def customer_link(self, row: SyncLog) -> str:
        if row.customer_id is None:
            return "–"
        url = reverse("admin:customers_customerprofile_change", args=[row.customer_id])
        return format_html('<a class="crm-link" href="{}">Open their page</a>', url)

    @display(description="What they sent")
    def payload(self, row: SyncLog) -> str:
        if row.event_payload is None:
            return "Removed after the time it is kept."
        return _pretty(row.event_payload)

    @display(description="The same id came again with")
    def conflict(self, row: SyncLog) -> str:
        return "–" if row.conflict_payload is None else _pretty(row.conflict_payload)

    @dialog_action(
        title="Replay this event",
        label="Replay",
        text="It is processed again as if it had just come. What it did already is not done twice.",
        submit="Replay event",
        icon="replay",
        permissions=["customers.replay_synclog"],
    )
    def replay(self, request: HttpRequest, form: Any, row: SyncLog) -> str:
        replay_event(event_id=row.pk, actor=Actor.from_request(request))
        _nudge()
        return "The event is waiting to be processed. Reload in a moment to see what became of it."

    @dialog_action(
        title="Replay failed events",
        text="Every event that failed is processed again, once its cause is mended.",
        submit="Replay them",
        icon="replay",
        form=ReplayManyForm,
        permissions=["customers.replay_synclog"],
    )
    def replay_failed(self, request: HttpRequest, form: Any, row: None) -> str | HttpResponse:
        source = form.cleaned_data["source"] or None
        count = replay_events(actor=Actor.from_request(request), source=source)
        if not count:
            return "Nothing has failed. There is nothing to replay."
        _nudge()
        return f"{count} event{'' if count == 1 else 's'} waiting to be processed again."


def _nudge() -> None:
    tenant_id = require_tenant_id()
    transaction.on_commit(lambda: nudge(tenant_id))


def _causes() -> list[dict[str, Any]]:
    """What failed for the same reason, most frequent first."""
    newest = SyncLog.objects.filter(status=SyncStatus.FAILED).order_by("-pk")[:GROUPED_FAILURES]
    causes = (
        SyncLog.objects.filter(pk__in=newest.values("pk"))
        .values("source_service", "event_type", "error")
        .annotate(count=Count("pk"), last_at=Max("created_at"))
        .order_by("-count")[:SHOWN_CAUSES]
    )
    return [
        {
            **cause,
            "source": SOURCES.get(cause["source_service"], cause["source_service"]),
            "error": (cause["error"] or "No reason was given.")[:CAUSE_LENGTH],
            "when": ago(cause["last_at"]),
        }
        for cause in causes
    ]


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="crm-json">{}</pre>', text)
