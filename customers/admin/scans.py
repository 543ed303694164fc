"""Searching for duplicates: the button, how far it is, and what earlier searches found."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.jobs import JobAdmin, job_panel
from crm_site.backoffice.options import DialogForm, dialog_action, display
from crm_site.backoffice.people import names_of
from crm_site.jobs.models import JobStatus
from crm_site.jobs.tasks import nudge_on_commit
from customers.admin import cells
from customers.choices import ScanKind
from customers.models import DuplicateScan
from customers.services.duplicate_scans import request_scan

MAY_SCAN = "customers.merge_customerprofile"
TONES = {
    JobStatus.SUCCESS: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "amber",
}


class ScanForm(DialogForm):
    kind = forms.ChoiceField(
        label="Look at",
        choices=[
            (ScanKind.FULL, "Everybody"),
            (ScanKind.INCREMENTAL, "Who changed since the last search"),
        ],
        initial=ScanKind.FULL,
        widget=forms.RadioSelect,
    )


@dialog_action(
    title="Search for duplicates",
    text="Compares customers with each other in the background; nothing is merged by itself. What "
    "was ruled on stays as it is, unless one of the two has changed since.",
    label="Search now",
    submit="Search",
    icon="manage_search",
    form=ScanForm,
    permissions=(MAY_SCAN,),
)
def search_now(self: Any, request: HttpRequest, form: Any, obj: None) -> str:
    kind, actor = ScanKind(form.cleaned_data["kind"]), Actor.from_request(request)
    scan = request_scan(kind=kind, actor=actor, now=timezone.now())
    nudge_on_commit(scan)
    # Its progress says the rest.
    return "" if scan.requested_by == actor.id else "A search is under way already."


def last_scan(request: HttpRequest) -> dict[str, Any]:
    """For the list of pairs: the search under way with its bar, and what the last one found."""
    if not request.user.has_perm("customers.view_duplicatescan"):
        return {}
    latest = DuplicateScan.objects.order_by("-requested_at", "-pk").first()
    may_search = request.user.has_perm(MAY_SCAN)
    is_to_show = latest is not None and (latest.is_open or latest.status == JobStatus.FAILED)
    ended = DuplicateScan.objects.filter(status=JobStatus.SUCCESS)
    return {
        "scan_panel": job_panel(request, latest, may_cancel=may_search)
        if latest and is_to_show
        else "",
        "last_scan": ended.order_by("-finished_at").first(),
        "may_search": may_search,
    }


@admin.register(DuplicateScan)
class DuplicateScanAdmin(JobAdmin):
    empty_title = "No search yet"
    empty_text = "Every night whoever changed is compared with everybody else."
    list_display = ("when", "kind", "state", "profile_count", "found_count", "new_count")
    list_display_links = ("when",)
    cancel_permission = MAY_SCAN
    fields = (
        *("state", "error", "kind", "changed_since", "profile_count", "compared_count"),
        *("found_count", "new_count", "reopened_count", "household_count", "removed_count"),
        *("left_out", "asked_by", "requested_at", "started_at", "finished_at"),
    )
    readonly_fields = ("state", "left_out", "asked_by")

    class Media:
        css = {"all": ["customers/customers.css"]}

    @display(description="When")
    def when(self, scan: DuplicateScan) -> str:
        return ago(scan.requested_at)

    @display(description="State")
    def state(self, scan: DuplicateScan) -> str:
        return cells.pill(scan.get_status_display(), TONES.get(JobStatus(scan.status), "plain"))

    @display(description="Asked for by")
    def asked_by(self, scan: DuplicateScan) -> str:
        return names_of([scan.requested_by])[scan.requested_by]

    @display(description="Left out")
    def left_out(self, scan: DuplicateScan) -> str:
        return " ".join(scan.remarks) or "–"
