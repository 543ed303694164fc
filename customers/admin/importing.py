"""The wizard: a file, its columns, a check, the import, and what came of it."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.jobs import TONES, JobAdmin
from crm_site.backoffice.options import action, dialog_action, display
from crm_site.backoffice.people import names_of
from crm_site.errors import DomainError
from crm_site.files.models import StoredFile
from crm_site.files.services import read_file
from crm_site.jobs.models import JobStatus
from crm_site.jobs.tasks import nudge_on_commit
from customers.admin import cells
from customers.admin.import_mapping import MappingForm, mapping_context
from customers.choices import ImportKind
from customers.models import CustomerImport, CustomerProfile
from customers.services.importing.plans import Plan
from customers.services.importing.refusals import read_refusals
from customers.services.importing.requesting import (
    KEEP_FOR,
    PURPOSE,
    keep_upload,
    look_at,
    request_import,
    request_undo,
    too_big,
)

MAY_IMPORT = "customers.add_customerimport"
SHOWN_REFUSALS, SHOWN_PEOPLE = 20, 12
either = require_http_methods(["GET", "POST"])


@admin.register(CustomerImport)
class CustomerImportAdmin(JobAdmin):
    empty_title = "No imports yet"
    empty_text = (
        "Bring in a list of people from a CSV file or an Excel workbook: press “Import a file”. "
        "You will see what would happen before anything does."
    )
    cancel_permission = MAY_IMPORT
    list_display = ("file_name", "what", "state", "created_count", "updated_count",
                    "refused_count", "who", "when")  # fmt: skip
    list_filter = ("kind", "status")
    list_per_page = 25
    fields = ()
    change_form_template = "customers/imports/result.html"
    actions_list = ("start",)
    actions_detail = ("import_now", "undo")

    class Media:
        css = {"all": ["customers/customers.css", "customers/imports.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(either(self.upload_view)), name="customers_customerimport_new"),
            path(
                "new/<uuid:file_id>/",
                view(either(self.mapping_view)),
                name="customers_customerimport_map",
            ),
            path(
                "<uuid:object_id>/refused/",
                view(self.refused_view),
                name="customers_customerimport_refused",
            ),
            *super().get_urls(),
        ]

    # The list

    @display(description="What")
    def what(self, job: CustomerImport) -> str:
        return job.get_kind_display()

    @display(description="Status")
    def state(self, job: CustomerImport) -> str:
        return cells.pill(job.get_status_display(), TONES[JobStatus(job.status)])

    @display(description="By")
    def who(self, job: CustomerImport) -> str:
        return names_of([job.requested_by])[job.requested_by]

    @display(description="When")
    def when(self, job: CustomerImport) -> str:
        return ago(job.requested_at)

    @action(description="Import a file", icon="upload_file", permissions=[MAY_IMPORT])
    def start(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_customerimport_new"))

    # The wizard

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        _require(request)
        error = ""
        if request.method == "POST":
            try:
                file = self._keep(request)
                address = reverse("admin:customers_customerimport_map", args=[file.pk])
                return HttpResponseRedirect(address)
            except DomainError as refusal:
                error = refusal.message
        context = {**self._around(request, "Import a file"), "error": error}
        context |= {"too_big": too_big(), "max_bytes": settings.UPLOAD_MAX_BYTES}
        return TemplateResponse(
            request, "customers/imports/upload.html", context, status=400 if error else 200
        )

    def _keep(self, request: HttpRequest) -> StoredFile:
        upload = request.FILES.get("file")
        if getattr(request, "is_upload_too_big", False):
            raise DomainError(too_big())
        if upload is None:
            raise DomainError("Choose a file first. If you did, it was empty.")
        with transaction.atomic():
            file = keep_upload(
                name=upload.name or "people.csv",
                chunks=upload.chunks(),
                actor=Actor.from_request(request),
                now=timezone.now(),
            )
            look_at(file)  # Refused here rather than on the next page.
        return file

    def mapping_view(self, request: HttpRequest, file_id: Any) -> HttpResponse:
        _require(request)
        file = StoredFile.objects.filter(pk=file_id, purpose=PURPOSE).first()
        if file is None:
            messages.error(request, "This file is not kept any more. Please upload it once more.")
            return HttpResponseRedirect(reverse("admin:customers_customerimport_new"))
        form = MappingForm(request, file)
        if request.method == "POST" and form.wish in {"check", "import"} and not form.error:
            try:
                with transaction.atomic():
                    job = request_import(
                        file=file,
                        plan=form.plan,
                        actor=Actor.from_request(request),
                        is_check=form.wish == "check",
                    )
                nudge_on_commit(job)
                return HttpResponseRedirect(_page_of(job))
            except DomainError as refusal:
                form.error = refusal.message
        context = {**self._around(request, file.name), **mapping_context(form)}
        return TemplateResponse(
            request, "customers/imports/mapping.html", context, status=400 if form.error else 200
        )

    def _around(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "media": self.media,
            "title": title,
        }

    # What came of it

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object_or_404(request, object_id)
        context = {
            "job": job,
            "panel": self.panel(request, job),
            "who": self.who(job),
            "refusals": list(read_refusals(job, SHOWN_REFUSALS)),
            "people": _some_people(job),
            "undoing": job.undoings.order_by("-requested_at").first(),
            "may_import": request.user.has_perm(MAY_IMPORT),
            "undo_days": KEEP_FOR.days,
        }
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    def refused_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """The refused rows as a file, small enough to send whole: a part of what came in."""
        _require(request)
        job = self.get_object_or_404(request, str(object_id))
        if job.refused_file is None:
            raise Http404
        body = b"".join(read_file(job.refused_file))
        name = job.refused_file.name.replace('"', "")
        return HttpResponse(
            body,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @dialog_action(
        title="Import these people now",
        label="Import now",
        text="The file is imported as it was just checked. You can undo it afterwards.",
        icon="playlist_add_check",
        permissions=[MAY_IMPORT],
    )
    def import_now(self, request: HttpRequest, form: Any, job: CustomerImport) -> HttpResponse:
        if job.file is None or job.kind != ImportKind.CHECK:
            raise DomainError("Upload the file once more and import it.")
        plan, actor = Plan.from_json(job.plan), Actor.from_request(request)
        made = request_import(file=job.file, plan=plan, actor=actor)
        nudge_on_commit(made)
        return HttpResponse(headers={"HX-Redirect": _page_of(made)})

    @dialog_action(
        title="Undo this import",
        label="Undo",
        text="Customers it added are taken out again and values it changed are put back, unless "
        "somebody changed them since. You will see what was left as it is.",
        submit="Undo the import",
        icon="undo",
        permissions=[MAY_IMPORT],
    )
    def undo(self, request: HttpRequest, form: Any, job: CustomerImport) -> HttpResponse:
        made = request_undo(job=job, actor=Actor.from_request(request), now=timezone.now())
        nudge_on_commit(made)
        return HttpResponse(headers={"HX-Redirect": _page_of(made)})

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what makes sense for this job: the theme shows every button on every page."""
        job = self.get_object(request, str(object_id))
        wanted = set()
        if job is not None and job.kind == ImportKind.CHECK and job.is_done and job.file_id:
            wanted.add("import_now")
        if job is not None and not job.is_open and job.has_changed_customers:
            wanted |= set() if job.undoings.filter(status=JobStatus.SUCCESS).exists() else {"undo"}
        shown = super().get_actions_detail(request, object_id)
        return [each for each in shown if each.method.__name__ in wanted]


def _require(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_IMPORT):
        raise PermissionDenied


def _page_of(job: CustomerImport) -> str:
    return reverse("admin:customers_customerimport_change", args=[job.pk])


def _some_people(job: CustomerImport) -> list[CustomerProfile]:
    """A few of those the import made or changed."""
    if job.kind != ImportKind.IMPORT:
        return []
    first = job.batches.order_by("first_row").first()
    ids = list(first.created_ids[:SHOWN_PEOPLE]) if first else []
    ids += job.changes.order_by("pk").values_list("customer_id", flat=True)[:SHOWN_PEOPLE]
    rows = CustomerProfile.objects.live().filter(pk__in=ids).defer("search_vector")
    return list(rows.order_by("pk")[:SHOWN_PEOPLE])
