"""The screens of segments."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice import filters
from crm_site.backoffice.actions import dialog_action, go_to
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import TenantModelAdmin, display
from customers.models import CustomerProfile
from segments.admin.builder import preview_json
from segments.admin.history import HistoryTab
from segments.admin.import_page import import_page
from segments.admin.members import (
    AddMembersForm,
    MembersTab,
    add_people,
    change_one,
    customer_url,
    may_change,
)
from segments.admin.trials import follow, try_model
from segments.choices import RefreshStatus
from segments.forms import SMART_FIELDS, SegmentForm
from segments.models import CustomerSegment, SegmentRefresh
from segments.rules.describe import Describer
from segments.rules.errors import RuleError
from segments.rules.grammar import MAX_BYTES, parse
from segments.rules.smart import parse_smart
from segments.services.authoring import delete_segment, save_segment
from segments.services.changes_ahead import changes_ahead
from segments.services.matching import describer, tenant_clock
from segments.services.previews import preview
from segments.services.refreshing import approve_refresh, request_refresh
from segments.services.smart_words import quality_sentence, question_sentence
from segments.services.suggestions import values_of
from segments.services.usage import uses_of
from segments.tasks import nudge_on_commit


def sentence(segment: CustomerSegment, words: Describer) -> str:
    """What a segment is, in words."""
    if segment.is_by_hand:
        return f"{segment.get_type_display()}."
    try:
        if segment.is_by_model:
            return question_sentence(parse_smart(segment.criteria), words.segments)
        return words.sentence(parse(segment.criteria, segment.combinator))
    except RuleError as error:
        return f"Broken: {error}"


@admin.register(CustomerSegment)
class CustomerSegmentAdmin(TenantModelAdmin):
    form = SegmentForm
    list_display = ("name", "who", "members", "refreshed", "type", "is_active")
    list_filter = (
        ("type", filters.ChoicesDropdownFilter),
        ("is_active", filters.BooleanRadioFilter),
        ("club", filters.RelatedDropdownFilter),
    )
    search_fields = ("name", "description")
    list_select_related = ("club",)
    ordering = ("name", "pk")
    sortable_by = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        ("Who is in it", {"fields": ("type", *SMART_FIELDS, "rules")}),
        (
            "When and where",
            {"fields": ("refresh_frequency", "club", "is_active", "messaging_segment_id")},
        ),
    )
    lazy_tabs = (MembersTab, HistoryTab)
    actions_detail = ("let_through", "add_members", "refresh_now", "remove")
    change_form_outer_before_template = "admin/segments/facts.html"
    empty_title = "No segments yet"
    empty_text = (
        "A segment is a group of customers you can write to: lapsed members, birthdays next week, "
        "everybody with a handicap under 10. Add one and watch the count while you choose."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        base: Any = super().get_changelist(request, **kwargs)

        class DescribedList(base):
            def get_results(self, request: HttpRequest) -> None:
                super().get_results(request)
                words = _words()
                for segment in self.result_list:
                    segment.sentence = sentence(segment, words)

        return DescribedList

    @display(description="Who")
    def who(self, segment: Any) -> str:
        return str(segment.sentence)

    @display(description="Members")
    def members(self, segment: CustomerSegment) -> str:
        return f"{segment.member_count:,}"

    @display(description="Last refreshed")
    def refreshed(self, segment: CustomerSegment) -> str:
        return ago(segment.last_refreshed_at)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Settings of a model are there to be set: who only looks is told by the sentence."""
        if self.has_change_permission(request, obj) or obj is None:
            return super().get_fieldsets(request, obj)
        return [
            (title, {"fields": tuple(f for f in options["fields"] if f not in SMART_FIELDS)})
            for title, options in self.fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name",) if obj is not None and obj.is_system else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        nudge_on_commit(save_segment(obj, actor=Actor.from_request(request), now=timezone.now()))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        segment = self.get_object(request, object_id)
        facts: dict[str, Any] = {}
        if segment is not None:
            facts = {
                "segment": segment,
                "sentence": sentence(segment, _words()),
                "refreshed": ago(segment.last_refreshed_at),
                "is_refreshing": segment.refreshes.unfinished().exists(),
                "may_import": may_change(request, segment),
                "quality": _quality(segment),
                "last_failed": _last_failed(segment),
                "held": segment.refreshes.held().first(),
                "uses": [
                    (use, reverse(f"admin:{use.admin_page}", args=[use.pk]))
                    for use in uses_of(segment)
                ],
            }
        context = {**(extra_context or {}), **facts}
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    # What the builder asks while somebody writes

    def get_urls(self) -> list[URLPattern]:
        asked = [("preview", self.preview_view), ("values", self.values_view)]
        pages = [
            *((f"{name}/", view, name) for name, view in asked),
            ("<uuid:pk>/members/<uuid:customer_id>/", self.member_view, "member"),
            ("try/", try_model, "try"),
            ("trial/<uuid:pk>/", follow, "trial"),
            ("<uuid:pk>/import/", self.import_view, "import"),
            ("put-in/<uuid:customer_id>/", self.put_in_view, "put_in"),
        ]
        own = [
            path(route, self.admin_site.admin_view(view), name=f"segments_customersegment_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Count, reach and a few people for rules that are being written. Saves nothing."""
        self._require_view(request)
        if request.method != "POST" or len(request.body) > 2 * MAX_BYTES:
            return JsonResponse({"message": "Send the rules."}, status=405)
        try:
            asked = json.loads(request.body)
            rules, combinator = asked.get("rules"), asked.get("combinator")
            segment = self.get_object(request, str(asked.get("segment") or ""))
            now, asked_by = timezone.now(), segment and segment.pk
            found = preview(rules, combinator, now=now, asked_by=asked_by)
            ahead = changes_ahead(segment, rules, combinator, now=now) if segment else None
        except (ValueError, AttributeError, RecursionError):
            return JsonResponse({"message": "These rules cannot be read."}, status=400)
        except RuleError as error:
            return JsonResponse({"path": error.path, "message": error.message}, status=400)
        return JsonResponse(preview_json(found, segment, ahead))

    def values_view(self, request: HttpRequest) -> HttpResponse:
        """Values of one field that the tenant has."""
        self._require_view(request)
        return JsonResponse({"values": values_of(request.GET.get("field", ""))})

    # Members by hand

    def member_view(self, request: HttpRequest, pk: UUID, customer_id: UUID) -> HttpResponse:
        return change_one(request, self.get_object_or_404(request, str(pk)), customer_id)

    def import_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return import_page(request, self.get_object_or_404(request, str(pk)), context)

    def put_in_view(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """From a customer's page: into the segment chosen there, and back to the page."""
        segment = self.get_object_or_404(request, request.POST.get("segment", ""))
        customer = CustomerProfile.objects.live().filter(pk=customer_id).first()
        if request.method != "POST" or not may_change(request, segment):
            raise PermissionDenied
        if customer is None:
            raise Http404
        said = add_people(segment, [customer], Actor.from_request(request))
        self.message_user(request, said)
        return HttpResponseRedirect(customer_url(customer.pk))

    def _require_view(self, request: HttpRequest) -> None:
        may_see = request.user.has_perm("customers.view_customerprofile")
        if not (may_see and self.has_view_permission(request)):
            raise PermissionDenied

    # Buttons

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what fits: rules fill one kind of segment, people the other."""
        segment = self.get_object(request, str(object_id))
        if segment is None:
            return []
        unfit = {"refresh_now"} if segment.is_by_hand else {"add_members"}
        if segment.is_system:
            unfit.add("remove")
        if not segment.refreshes.held().exists():
            unfit.add("let_through")
        return [
            found
            for found in super().get_actions_detail(request, object_id)
            if found.method.original_function_name not in unfit
        ]

    @dialog_action(
        title="Add people to this segment",
        label="Add people",
        submit="Add them",
        form=AddMembersForm,
        permissions=["segments.add_customersegmentmembership"],
        icon="person_add",
    )
    def add_members(
        self, request: HttpRequest, form: AddMembersForm, obj: CustomerSegment
    ) -> HttpResponse:
        said = add_people(obj, form.cleaned_data["people"], Actor.from_request(request))
        self.message_user(request, said)
        return go_to(reverse("admin:segments_customersegment_change", args=[obj.pk]))

    @dialog_action(
        title="Refresh now",
        text="Look again who belongs to this segment. It takes a few seconds.",
        permissions=["segments.refresh_customersegment"],
        icon="refresh",
    )
    def refresh_now(self, request: HttpRequest, form: Any, obj: CustomerSegment) -> str:
        actor = Actor.from_request(request)
        nudge_on_commit(request_refresh(segment_id=obj.pk, actor=actor, now=timezone.now()))
        return f"“{obj.name}” is being refreshed. Reload the page in a moment."

    @dialog_action(
        title="Let the change through",
        text="Look again and change the members, although over half of them would be others. "
        "A scheduled campaign writes to whoever is in it then.",
        permissions=["segments.refresh_customersegment"],
        icon="check_circle",
    )
    def let_through(self, request: HttpRequest, form: Any, obj: CustomerSegment) -> str:
        actor = Actor.from_request(request)
        nudge_on_commit(approve_refresh(segment_id=obj.pk, actor=actor, now=timezone.now()))
        return f"“{obj.name}” is being refreshed. Reload the page in a moment."

    @dialog_action(
        title="Delete this segment",
        label="Delete",
        text="Nobody is deleted with it. Its history stays; campaigns that were sent stay, too.",
        permissions=["segments.delete_customersegment"],
        icon="delete",
    )
    def remove(self, request: HttpRequest, form: Any, obj: CustomerSegment) -> HttpResponse:
        delete_segment(obj, now=timezone.now())
        self.message_user(request, f"“{obj.name}” was deleted.")
        return go_to(reverse("admin:segments_customersegment_changelist"))


def _last_failed(segment: CustomerSegment) -> SegmentRefresh | None:
    ended = segment.refreshes.filter(finished_at__isnull=False).order_by("-requested_at").first()
    return ended if ended is not None and ended.status == RefreshStatus.FAILED else None


def _quality(segment: CustomerSegment) -> str:
    """How good the model of a segment by model was at its last refresh."""
    if not (segment.is_by_model and segment.criteria):
        return ""
    told = segment.refreshes.filter(quality__isnull=False).order_by("-requested_at").first()
    return quality_sentence(segment.criteria["model"], told.quality or {}) if told else ""


def _words() -> Describer:
    return describer(tenant_clock(timezone.now()).zone)
