"""How far long work is, on any page: a bar that moves, and a button that stops it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from crm_site.backoffice.actions import go_to
from crm_site.backoffice.options import ReadOnlyTenantAdmin
from crm_site.errors import DomainError
from crm_site.jobs.models import Job, JobStatus
from crm_site.jobs.services import cancel_job

TONES = {
    JobStatus.PENDING: "blue",
    JobStatus.RUNNING: "blue",
    JobStatus.SUCCESS: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "amber",
}


def job_panel(request: HttpRequest, job: Job, *, may_cancel: bool = True) -> SafeString:
    """The job's progress as a fragment that renews itself while the job is open, and the whole page
    once it has ended. Needs the job's admin to be a ``JobAdmin``."""
    opts = job._meta
    base = f"admin:{opts.app_label}_{opts.model_name}"
    context = {
        "job": job,
        "percent": round(job.progress * 100),
        "tone": TONES[JobStatus(job.status)],
        "may_cancel": may_cancel,
        "progress_url": reverse(f"{base}_progress", args=[job.pk]),
        "cancel_url": reverse(f"{base}_cancel", args=[job.pk]),
    }
    return render_to_string("admin/job_panel.html", context, request=request)


class JobAdmin(ReadOnlyTenantAdmin):
    """The list and pages of one kind of job, with the addresses its panel asks."""

    model: type[Job]
    ordering = ("-requested_at", "-pk")
    sortable_by = ()
    cancel_permission: str = ""  # As "customers.add_customerprofile"; blank: who may change one.

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}"
        view = self.admin_site.admin_view
        progress, cancel = require_GET(self.progress_view), require_POST(self.cancel_view)
        return [
            path("<uuid:object_id>/progress/", view(progress), name=f"{name}_progress"),
            path("<uuid:object_id>/cancel/", view(cancel), name=f"{name}_cancel"),
            *super().get_urls(),
        ]

    def may_cancel(self, request: HttpRequest, job: Any = None) -> bool:
        if self.cancel_permission:
            return bool(request.user.has_perm(self.cancel_permission))
        opts = self.model._meta
        return bool(request.user.has_perm(f"{opts.app_label}.change_{opts.model_name}"))

    def panel(self, request: HttpRequest, job: Job) -> SafeString:
        return job_panel(request, job, may_cancel=self.may_cancel(request, job))

    def progress_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.get_object_or_404(request, str(object_id))
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        if not job.is_open:
            # The page shows more than the bar once the work is over.
            return HttpResponse(headers={"HX-Refresh": "true"})
        return HttpResponse(self.panel(request, job))

    def cancel_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.get_object_or_404(request, str(object_id))
        if not self.may_cancel(request, job):
            raise PermissionDenied
        try:
            with transaction.atomic():
                job = cancel_job(self.model, job.pk)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponse(headers={"HX-Refresh": "true"})
        if not job.is_open:
            return go_to(request.headers.get("HX-Current-URL") or "")
        return HttpResponse(self.panel(request, job))
