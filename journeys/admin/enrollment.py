"""Customers under way, and where they are."""

from django.contrib import admin
from django.template.loader import render_to_string

from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display
from journeys.choices import JourneyEnrollmentStatus
from journeys.models import JourneyEnrollment

COLOURS = {
    JourneyEnrollmentStatus.ACTIVE: "info",
    JourneyEnrollmentStatus.COMPLETED: "success",
    JourneyEnrollmentStatus.FAILED: "danger",
    JourneyEnrollmentStatus.EXITED: "warning",
}


@admin.register(JourneyEnrollment)
class JourneyEnrollmentAdmin(ReadOnlyTenantAdmin):
    list_display = ("customer", "journey", "state", "current_step", "goes_on", "entered")
    list_filter = (
        ("journey", filters.RelatedDropdownFilter),
        ("status", filters.ChoicesDropdownFilter),
    )
    list_select_related = ("customer", "journey", "current_step")
    ordering = ("-id",)  # Ids grow with time, so this is the latest first along the primary key.
    sortable_by = ()
    fields = ("customer", "journey", "status", "current_step", "goes_on", "entered_exactly",
              "exit_reason", "visits")  # fmt: skip
    readonly_fields = ("goes_on", "entered_exactly", "visits")
    empty_title = "Nobody is on a journey"
    empty_text = "People appear here as soon as a live journey takes them in."

    @display(description="State", label=COLOURS)
    def state(self, enrollment: JourneyEnrollment) -> tuple[str, str]:
        return enrollment.status, enrollment.get_status_display()

    @display(description="Goes on")
    def goes_on(self, enrollment: JourneyEnrollment) -> str:
        return ago(enrollment.waiting_until)

    @display(description="Entered")
    def entered(self, enrollment: JourneyEnrollment) -> str:
        return ago(enrollment.enrolled_at)

    @display(description="Entered")
    def entered_exactly(self, enrollment: JourneyEnrollment) -> str:
        return exactly(enrollment.enrolled_at)

    @display(description="So far")
    def visits(self, enrollment: JourneyEnrollment) -> str:
        visits = enrollment.steps.select_related("step").order_by("entered_at")[:200]
        return render_to_string("journeys/visits.html", {"visits": visits})
