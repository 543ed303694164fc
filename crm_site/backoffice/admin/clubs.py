"""Clubs, and the settings of the tenant they belong to."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from crm_site.backoffice import widgets
from crm_site.backoffice.options import PlainModelAdmin, TenantModelAdmin
from crm_site.tenancy.models import Club, Tenant


class TenantForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        choices=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())],
        widget=widgets.Select,
        help_text="Days, schedules and quiet hours are in this zone.",
    )


@admin.register(Tenant)
class TenantAdmin(PlainModelAdmin):
    """The settings of the club in scope. There is no list: one works in one club at a time."""

    form = TenantForm
    ordering = ("pk",)
    fieldsets = (
        ("The club", {"fields": ("name", "time_zone", "currency", "country")}),
        (
            "Sending",
            {
                "fields": (
                    "is_sending_enabled",
                    ("quiet_hours_start", "quiet_hours_end"),
                    ("frequency_cap_count", "frequency_cap_days"),
                    ("unengaged_message_count", "unengaged_days"),
                    "approval_above",
                ),
                "description": "Rules for every campaign and journey of the club.",
            },
        ),
        ("Segments", {"fields": ("keeps_segments_current",)}),
        (
            "How long details are kept",
            {
                "fields": (
                    "sync_payload_retention_days",
                    "interaction_detail_retention_days",
                    "membership_change_retention_days",
                ),
                "description": "Days. After that the details go; totals stay.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return Tenant.objects.filter(pk=request.tenant_id)  # type: ignore[attr-defined]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        own = request.tenant_id  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:tenancy_tenant_change", args=[own]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # A tenant is opened by `manage.py create_tenant`.


@admin.register(Club)
class ClubAdmin(TenantModelAdmin):
    list_display = ("name", "external_id", "latitude", "longitude")
    sortable_by = ("name",)
    ordering = ("name",)
    search_fields = ("name",)
    fields = ("name", "external_id", ("latitude", "longitude"))
    empty_title = "No courses or clubhouses yet"
    empty_text = (
        "Add one for each place that has staff, segments or campaigns of its own. "
        "A club on a single site needs none."
    )
