"""Merging many pairs in one go: the sum beforehand, how far it is, and what came of each pair."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.jobs import TONES, JobAdmin
from crm_site.backoffice.options import display
from crm_site.backoffice.people import names_of
from crm_site.errors import DomainError
from crm_site.jobs.models import JobStatus
from crm_site.jobs.tasks import nudge_on_commit
from customers.admin import cells
from customers.admin.review.pages import MAY_DECIDE
from customers.models import BulkMerge, CustomerProfile
from customers.services.bulk_merging import (
    LEAST_SCORE,
    MAX_PAIRS,
    BulkMergeError,
    plan_bulk_merge,
    request_bulk_merge,
)

USUAL_SCORE = 95.0
OFFERED = ((95, "Almost certain"), (85, "Likely, too"), (LEAST_SCORE, "Everything over 50 %"))
SHOWN_REFUSALS = 50
SHOWN_PAIRS = 200


@admin.register(BulkMerge)
class BulkMergeAdmin(JobAdmin):
    empty_title = "Nothing was merged in one go yet"
    empty_text = "From the possible duplicates you can merge every pair over a score at once."
    list_display = ("what", "state", "pair_count", "by", "asked")
    list_display_links = ("what",)
    cancel_permission = MAY_DECIDE

    class Media:
        css = {"all": ["customers/customers.css", "customers/review.css"]}

    @display(description="What")
    def what(self, job: BulkMerge) -> str:
        return str(job)

    @display(description="State")
    def state(self, job: BulkMerge) -> str:
        return cells.pill(job.get_status_display(), TONES[JobStatus(job.status)])

    @display(description="Asked by")
    def by(self, job: BulkMerge) -> str:
        return names_of([job.requested_by])[job.requested_by]

    @display(description="When")
    def asked(self, job: BulkMerge) -> str:
        return ago(job.requested_at)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self.get_object_or_404(request, object_id)
        self.require(request, ("view",), job)
        context = {
            **self.admin_site.each_context(request),
            **_outcome(job),
            "opts": self.model._meta,
            "media": self.media,
            "title": str(job),
            "original": job,
            "job": job,
            "by": self.by(job),
            "panel": self.panel(request, job),
            "may_decide": request.user.has_perm(MAY_DECIDE),
        }
        return TemplateResponse(request, "customers/review/bulk_result.html", context)


def bulk_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Choose a score, see the sum, agree to it by writing how many pairs there are."""
    if not request.user.has_perm(MAY_DECIDE):
        raise PermissionDenied
    if request.method == "POST":
        return _start(request)
    context: dict[str, Any] = {**_sum(request), "offered": OFFERED, "least": LEAST_SCORE}
    if request.headers.get("HX-Request"):
        return render(request, "customers/review/bulk_sum.html", context)
    context |= {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media,
        "title": "Merge many",
        "original": "Merge many in one go",
    }
    return TemplateResponse(request, "customers/review/bulk.html", context)


def _start(request: HttpRequest) -> HttpResponse:
    score, written = _number(request.POST.get("score")), _number(request.POST.get("confirm"))
    if written is None:
        return _back(request, score, "Write how many pairs there are, so that nothing happens by "
                                     "mistake.")  # fmt: skip
    try:
        with transaction.atomic():
            job = request_bulk_merge(
                min_score=score or 0, seen_count=int(written), actor=Actor.from_request(request)
            )
    except DomainError as error:
        return _back(request, score, error.message)
    nudge_on_commit(job)
    return HttpResponseRedirect(reverse("admin:customers_bulkmerge_change", args=[job.pk]))


def _back(request: HttpRequest, score: float | None, said: str) -> HttpResponse:
    messages.warning(request, said)
    url = reverse("admin:customers_duplicatecandidate_bulk")
    return HttpResponseRedirect(f"{url}?score={score or USUAL_SCORE:g}")


def _sum(request: HttpRequest) -> dict[str, Any]:
    asked = _number(request.GET.get("score"))
    score = USUAL_SCORE if asked is None else asked
    try:
        plan = plan_bulk_merge(min_score=score)
    except BulkMergeError as error:
        return {"score": score, "refusal": error.message, "plan": None}
    total = plan.sum
    ids = {pk for each in total.refused for pk in (each.survivor_id, each.absorbed_id)}
    people = CustomerProfile.objects.defer("search_vector").in_bulk(ids)
    return {
        "score": score,
        "plan": plan,
        "count": len(plan.pairs),
        "most": MAX_PAIRS,
        "moving": [each.words for each in total.moving],
        "clashes": total.clashes,
        "consents": [(each.label, count) for each, count in total.consents_lost.most_common()],
        "refused": [
            (people.get(each.survivor_id), people.get(each.absorbed_id), each.error.message)
            for each in total.refused[:SHOWN_REFUSALS]
        ],
        "under_way": BulkMerge.objects.open().first(),
    }


def _outcome(job: BulkMerge) -> dict[str, Any]:
    """What came of its pairs; names are read now, so nobody's stay behind."""
    counts = job.pairs.aggregate(
        settled=Count("settled_at"), refused=Count("refusal"), all=Count("pk")
    )
    settled = job.pairs.filter(settled_at__isnull=False).order_by("-position")
    rows = list(settled.select_related("merge")[:SHOWN_PAIRS])
    ids = {pk for row in rows for pk in (row.survivor_id, row.absorbed_id)}
    people = CustomerProfile.objects.defer("search_vector").in_bulk(ids)
    return {
        "merged": counts["settled"] - counts["refused"],
        "refused_count": counts["refused"],
        "left": counts["all"] - counts["settled"],
        "rows": [(row, people.get(row.survivor_id), people.get(row.absorbed_id)) for row in rows],
        "is_cut": counts["settled"] > SHOWN_PAIRS,
    }


def _number(text: str | None) -> float | None:
    try:
        found = float((text or "").strip())
    except ValueError:
        return None
    return found if -1e9 < found < 1e9 else None
