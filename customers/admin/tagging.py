"""Tags being put on many customers: how far, by whom, and how it ended."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from crm_site.backoffice.formats import ago
from crm_site.backoffice.jobs import JobAdmin
from crm_site.backoffice.options import display
from crm_site.backoffice.people import names_of
from customers.models import Tagging


@admin.register(Tagging)
class TaggingAdmin(JobAdmin):
    cancel_permission = "customers.change_customerprofile"
    empty_title = "Nobody was tagged in such numbers yet"
    empty_text = "Narrow the customer list down and press Tag: beyond 10,000 it is done here."
    list_display = ("tag", "status", "target_count", "tagged_count", "requested")
    fields = ("tag", "target_count", "tagged_count", "by", "requested", "error")
    readonly_fields = ("by", "requested")
    change_form_outer_before_template = "admin/job_head.html"

    class Media:
        css = {"all": ["customers/customers.css"]}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job = kwargs.get("obj")
        if job is not None:
            context["job_panel"] = self.panel(request, job)
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Asked for")
    def requested(self, job: Tagging) -> str:
        return ago(job.requested_at)

    @display(description="By")
    def by(self, job: Tagging) -> str:
        return names_of([job.requested_by])[job.requested_by]
