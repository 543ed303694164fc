"""Possible duplicates: the list, likeliest first, and the way into the review."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import ReadOnlyTenantAdmin, action, display
from customers.admin import cells
from customers.admin.bulk_merge import bulk_page
from customers.admin.review import deciding, pages
from customers.admin.review.evidence import sentence_of
from customers.admin.review.proposing import Couple
from customers.admin.review.queue import EVIDENCE, REVIEW_FILTERS, Queue
from customers.admin.scans import last_scan, search_now
from customers.choices import CandidateKind, DuplicateResolution
from customers.models import CustomerProfile, DuplicateCandidate
from customers.services.merging import MergeError

TONES = {
    DuplicateResolution.PENDING: "amber",
    DuplicateResolution.MERGED: "green",
    DuplicateResolution.NOT_DUPLICATE: "blue",
}


@admin.register(DuplicateCandidate)
class DuplicateCandidateAdmin(ReadOnlyTenantAdmin):
    empty_title = "No possible duplicates"
    empty_text = "When two customers look like the same person, the pair waits here for your eye."
    list_display = ("pair", "evidence", "score", "resolution_pill", "found")
    list_display_links = ("pair",)
    list_filter = REVIEW_FILTERS
    list_select_related = ("profile_a", "profile_b")
    ordering = ("-match_score", "-pk")
    sortable_by = ()
    actions_list = ("start_review", "merge_many", "search_now")
    list_before_template = "customers/scan.html"
    search_now = search_now

    class Media:
        css = {"all": ["customers/customers.css", "customers/review.css"]}
        js = ["customers/review.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pairs = super().get_queryset(request).select_related("profile_a", "profile_b")
        return pairs.defer("profile_a__search_vector", "profile_b__search_vector")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), **last_scan(request)})

    @display(description="Who")
    def pair(self, pair: DuplicateCandidate) -> str:
        people = cells.person(pair.profile_a), cells.person(pair.profile_b)
        return format_html('<span class="crm-pair">{}{}</span>', *people)

    @display(description="Why")
    def evidence(self, pair: DuplicateCandidate) -> str:
        if pair.match_fields:
            return sentence_of(pair)
        return EVIDENCE.get(pair.match_type, pair.match_type.replace("_", " ").capitalize())

    @display(description="How sure")
    def score(self, pair: DuplicateCandidate) -> str:
        sure = f"{pair.match_score:.0f} %"
        if pair.kind != CandidateKind.HOUSEHOLD:
            return sure
        return format_html("{} {}", sure, cells.pill("Possible family", "blue"))

    @display(description="Decision")
    def resolution_pill(self, pair: DuplicateCandidate) -> str:
        tone = TONES.get(DuplicateResolution(pair.resolution), "plain")
        return cells.pill(pair.get_resolution_display(), tone)

    @display(description="Found")
    def found(self, pair: DuplicateCandidate) -> str:
        return ago(pair.created_at)

    @action(description="Start reviewing", icon="play_arrow")
    def start_review(self, request: HttpRequest) -> HttpResponse:
        # A button of the theme's leads to a bare address; where it was pressed tells the filters.
        here = urlsplit(request.headers.get("Referer", ""))
        query = here.query[:500] if here.path.endswith("/duplicatecandidate/") else ""
        return HttpResponseRedirect(Queue(query, Actor.from_request(request)).url(None))

    @action(description="Merge many", icon="merge", permissions=[pages.MAY_DECIDE])
    def merge_many(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_duplicatecandidate_bulk"))

    # The review

    def get_urls(self) -> list[URLPattern]:
        mine = (
            ("review/", self.review_view, "review"),
            ("undo/", self.undo_view, "undo"),
            ("merge-many/", self.bulk_view, "bulk"),
            ("<uuid:pk>/rule/", self.rule_view, "rule"),
            ("<uuid:pk>/preview/", self.preview_view, "preview"),
            ("<uuid:pk>/merge/", self.merge_view, "merge"),
            ("compare/<uuid:one>/<uuid:other>/", self.compare_view, "compare"),
            (
                "compare/<uuid:one>/<uuid:other>/preview/",
                self.compare_preview_view,
                "compare_preview",
            ),
            ("compare/<uuid:one>/<uuid:other>/merge/", self.compare_merge_view, "compare_merge"),
        )
        own = [
            path(
                route, self.admin_site.admin_view(view), name=f"customers_duplicatecandidate_{name}"
            )
            for route, view, name in mine
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return pages.pair_page(self, request, self._visible(request, object_id))

    def review_view(self, request: HttpRequest) -> HttpResponse:
        self.require(request, ("view",))
        return pages.start_page(self, request)

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        return bulk_page(self, request)

    def rule_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return deciding.rule(request, self._visible(request, str(pk)))

    def preview_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return pages.preview(request, self._couple(request, pk))

    def merge_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return deciding.merge(request, self._couple(request, pk))

    def undo_view(self, request: HttpRequest) -> HttpResponse:
        return deciding.undo(self, request)

    # Two whom somebody chose

    def compare_view(self, request: HttpRequest, one: UUID, other: UUID) -> HttpResponse:
        chosen = self._chosen(request, one, other)
        try:
            return pages.compare_page(self, request, chosen.first, chosen.second)
        except MergeError as error:
            self.message_user(request, error.message, messages.WARNING)
            page = reverse("admin:customers_customerprofile_change", args=[one])
            return HttpResponseRedirect(page)

    def compare_preview_view(self, request: HttpRequest, one: UUID, other: UUID) -> HttpResponse:
        return pages.preview(request, self._chosen(request, one, other))

    def compare_merge_view(self, request: HttpRequest, one: UUID, other: UUID) -> HttpResponse:
        return deciding.merge(request, self._chosen(request, one, other))

    def _visible(self, request: HttpRequest, pk: str) -> DuplicateCandidate:
        pair: DuplicateCandidate = self.get_object_or_404(request, pk)
        self.require(request, ("view",), pair)
        return pair

    def _couple(self, request: HttpRequest, pk: UUID) -> Couple:
        pair = self._visible(request, str(pk))
        return Couple(pair.profile_a, pair.profile_b, pair)

    def _chosen(self, request: HttpRequest, one: UUID, other: UUID) -> Couple:
        self.require(request, (pages.MAY_DECIDE,))
        found = CustomerProfile.objects.defer("search_vector").in_bulk([one, other])
        if one not in found or other not in found:
            raise Http404
        return Couple(found[one], found[other])
