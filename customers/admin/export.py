"""Files of customers that somebody asked for: how far they are, and the way to them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.jobs import TONES, JobAdmin
from crm_site.backoffice.options import display
from crm_site.backoffice.people import names_of
from crm_site.files.answers import attachment
from crm_site.jobs.models import JobStatus
from customers.admin import cells
from customers.choices import ExportKind
from customers.models import CustomerExport
from customers.services.exports import ExportError, finished_file, may_have


@admin.register(CustomerExport)
class CustomerExportAdmin(JobAdmin):
    cancel_permission = "customers.export_customerprofile"
    empty_title = "No exports yet"
    empty_text = (
        "Press Export above the list of customers for a file of whoever it shows, or on one "
        "customer's page for everything about them."
    )
    list_display = ("what", "state", "people", "by", "asked", "download")
    list_display_links = ("what",)
    change_form_before_template = "admin/customers/export_panel.html"
    fields = ("what", "people", "columns_shown", "by", "asked", "download")
    readonly_fields = fields

    class Media:
        css = {"all": ["customers/customers.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("file", "customer")
        mine = Q(requested_by=Actor.from_request(request).id) | Q(kind=ExportKind.LIST)
        return rows.annotate(is_for_viewer=ExpressionWrapper(mine, BooleanField()))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if kwargs.get("obj") is not None:
            context["job_panel"] = self.panel(request, kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        name = "customers_customerexport_file"
        return [path("<uuid:object_id>/file/", view, name=name), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: Any) -> FileResponse:
        job = self.get_object_or_404(request, str(object_id))
        may_export = request.user.has_perm("customers.export_customerprofile")
        if not (may_export and may_have(job, Actor.from_request(request))):
            raise PermissionDenied
        try:
            return attachment(finished_file(job))
        except ExportError as error:
            raise Http404(error.message) from None

    @display(description="Export")
    def what(self, job: CustomerExport) -> str:
        if job.kind == ExportKind.PERSON and job.customer is not None:
            return f"Everything about {job.customer.name}"
        return f"A list of customers ({job.get_format_display()})"

    @display(description="Status")
    def state(self, job: CustomerExport) -> str:
        tone = TONES[JobStatus(job.status)]
        done = f" {job.progress:.0%}" if job.status == JobStatus.RUNNING else ""
        return cells.pill(f"{job.get_status_display()}{done}", tone)

    @display(description="Customers")
    def people(self, job: CustomerExport) -> str:
        return f"{job.row_count:,}"

    @display(description="By")
    def by(self, job: CustomerExport) -> str:
        return names_of([job.requested_by])[job.requested_by]

    @display(description="Asked for")
    def asked(self, job: CustomerExport) -> SafeString | str:
        return ago(job.requested_at)

    @display(description="Columns")
    def columns_shown(self, job: CustomerExport) -> str:
        return ", ".join(job.columns) or "Everything held"

    @display(description="File")
    def download(self, job: CustomerExport) -> SafeString | str:
        if job.file is None:
            return "Being written" if job.is_open else "No longer here"
        if not getattr(job, "is_for_viewer", False):
            return "For who asked for it alone"
        url = reverse("admin:customers_customerexport_file", args=[job.pk])
        return format_html(
            '<a class="crm-link" href="{}">Download</a> ({}, until {})',
            url, filesizeformat(job.file.size), exactly(job.file.expires_at),
        )  # fmt: skip
