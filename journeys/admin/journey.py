"""The journeys of a club, and the way each of them leads."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display
from journeys.choices import JourneyStatus, JourneyStepType
from journeys.models import Journey, JourneyStep

COLOURS = {
    JourneyStatus.ACTIVE: "success",
    JourneyStatus.PAUSED: "warning",
    JourneyStatus.DRAFT: "info",
}
ICONS = {
    JourneyStepType.TRIGGER: "login",
    JourneyStepType.SEND: "mail",
    JourneyStepType.WAIT: "hourglass_empty",
    JourneyStepType.CONDITION: "call_split",
    JourneyStepType.SPLIT: "alt_route",
    JourneyStepType.UPDATE: "edit",
    JourneyStepType.END: "flag",
}


@admin.register(Journey)
class JourneyAdmin(ReadOnlyTenantAdmin):
    list_display = ("name", "state", "begins", "entered", "finished", "left", "since")
    list_filter = (
        ("status", filters.ChoicesDropdownFilter),
        ("club", filters.RelatedDropdownFilter),
    )
    list_select_related = ("club",)
    ordering = ("name", "id")
    sortable_by = ("name",)
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "description", "status", "club", "begins")}),
        ("Its steps", {"fields": ("way",)}),
        ("People", {"fields": ("under_way", "total_completed", "total_exited")}),
        ("Rules", {"fields": ("allow_reentry", "max_enrollments", "timezone", "activated")}),
    )
    readonly_fields = ("begins", "way", "under_way", "activated")
    empty_text = (
        "A journey leads each customer over days or weeks: a welcome for new members, a reminder "
        "before a membership ends. None has been set up for this club."
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    @display(description="State", label=COLOURS)
    def state(self, journey: Journey) -> tuple[str, str]:
        return journey.status, journey.get_status_display()

    @display(description="Begins with")
    def begins(self, journey: Journey) -> str:
        if journey.trigger_type == "MANUAL":
            return "Somebody being added by hand"
        return journey.trigger_type.replace("_", " ").replace(".", " ").capitalize()

    @display(description="Entered", ordering="total_enrolled")
    def entered(self, journey: Journey) -> str:
        if not journey.total_enrolled:
            return "0"
        url = reverse("admin:journeys_journeyenrollment_changelist")
        return format_html(
            '<a class="crm-link" href="{}?journey__id__exact={}">{}</a>',
            url,
            journey.pk,
            f"{journey.total_enrolled:,}",
        )

    under_way = entered

    @display(description="Finished")
    def finished(self, journey: Journey) -> str:
        return f"{journey.total_completed:,}"

    @display(description="Left early")
    def left(self, journey: Journey) -> str:
        return f"{journey.total_exited:,}"

    @display(description="Live since")
    def since(self, journey: Journey) -> str:
        return ago(journey.activated_at)

    @display(description="Live since")
    def activated(self, journey: Journey) -> str:
        return exactly(journey.activated_at)

    @display(description="Steps")
    def way(self, journey: Journey) -> str:
        steps = list(_steps_shown(journey))
        lines = [{"step": step, "icon": ICONS[JourneyStepType(step.type)],
                  "exits": _exits(step, steps)} for step in steps]  # fmt: skip
        return render_to_string("journeys/way.html", {"lines": lines})


def _steps_shown(journey: Journey) -> Any:
    """Those of the version that is live; of the draft while there is none."""
    version = journey.versions.order_by("-number").first()
    return JourneyStep.objects.filter(journey=journey, version=version).order_by("step_number")


def _exits(step: JourneyStep, steps: list[JourneyStep]) -> list[tuple[str, JourneyStep]]:
    """Where the step leads, as (word, step); the plain next step has no word."""
    by_id = {str(known.pk): known for known in steps}
    ways = [("", step.next_step_id), ("yes", step.next_step_yes_id), ("no", step.next_step_no_id)]
    ways += [
        (f"{variant.get('name')} ({variant.get('weight')} %)", variant.get("nextStepId"))
        for variant in step.config.get("variants", [])
        if isinstance(variant, dict)
    ]
    return [(word, by_id[str(pk)]) for word, pk in ways if str(pk) in by_id]
