"""Pairs that may be one person, likeliest first."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html

from crm_site.audit.actor import Actor
from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import DialogForm, ReadOnlyTenantAdmin, dialog_action, display
from crm_site.backoffice.people import names_of
from crm_site.backoffice.widgets import Textarea
from customers.admin import cells
from customers.admin.activity import customer_link
from customers.choices import DuplicateResolution
from customers.models import CustomerProfile, DuplicateCandidate
from customers.services.duplicates import resolve_duplicate

EVIDENCE = {
    "email": "Same e-mail address",
    "phone": "Same phone number",
    "name_fuzzy": "Similar name",
    "name": "Same name",
}
COMPARED = (
    *("name", "email", "phone_number", "date_of_birth", "gender", "address_line1", "city"),
    *("postal_code", "scl_member_id", "membership_tier", "handicap", "home_club_name"),
)


class ResolutionFilter(filters.DropdownFilter):
    """What is still to review shows unless something else is asked for."""

    title = "decision"
    parameter_name = "decision"
    all_option = ("", "To review")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [choice for choice in DuplicateResolution.choices if choice[0] != "PENDING"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(resolution=self.value() or DuplicateResolution.PENDING)


class RulingForm(DialogForm):
    reason = forms.CharField(
        required=False,
        max_length=1000,
        widget=Textarea(attrs={"rows": 3}),
        help_text="For whoever meets this pair again.",
    )


@admin.register(DuplicateCandidate)
class DuplicateCandidateAdmin(ReadOnlyTenantAdmin):
    empty_title = "No possible duplicates"
    empty_text = "When two customers look like the same person, the pair waits here for your eye."
    list_display = ("pair", "evidence", "score", "resolution_pill", "found")
    list_display_links = ("pair",)
    list_filter = (ResolutionFilter, ("match_score", filters.RangeNumericFilter))
    list_select_related = ("profile_a", "profile_b")
    ordering = ("-match_score", "-pk")
    sortable_by = ()
    fields = ("side_by_side", "evidence", "score", "resolution_pill", "decided", "notes")
    readonly_fields = ("side_by_side", "evidence", "score", "resolution_pill", "decided")
    actions_detail = ("not_duplicate", "ignore")
    may_rule = ("customers.merge_customerprofile",)

    class Media:
        css = {"all": ["customers/customers.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pairs = super().get_queryset(request)
        return pairs.defer("profile_a__search_vector", "profile_b__search_vector")

    @display(description="Who")
    def pair(self, pair: DuplicateCandidate) -> str:
        people = cells.person(pair.profile_a), cells.person(pair.profile_b)
        return format_html('<span class="crm-pair">{}{}</span>', *people)

    @display(description="Why")
    def evidence(self, pair: DuplicateCandidate) -> str:
        return EVIDENCE.get(pair.match_type, pair.match_type.replace("_", " ").capitalize())

    @display(description="How sure")
    def score(self, pair: DuplicateCandidate) -> str:
        return f"{pair.match_score:.0f} %"

    @display(description="Decision")
    def resolution_pill(self, pair: DuplicateCandidate) -> str:
        tone = "amber" if pair.resolution == DuplicateResolution.PENDING else "plain"
        return cells.pill(pair.get_resolution_display(), tone)

    @display(description="Found")
    def found(self, pair: DuplicateCandidate) -> str:
        return ago(pair.created_at)

    @display(description="Decided")
    def decided(self, pair: DuplicateCandidate) -> str:
        if not pair.resolved_by:
            return "–"
        name = names_of([pair.resolved_by])[pair.resolved_by]
        return f"by {name}, {exactly(pair.resolved_at)}"

    @display(description="Side by side")
    def side_by_side(self, pair: DuplicateCandidate) -> str:
        first, second = pair.profile_a, pair.profile_b
        rows = [_compared(name, first, second) for name in COMPARED]
        context = {
            "people": [customer_link(first), customer_link(second)],
            # What differs is what to look at.
            "rows": sorted((row for row in rows if any(row["values"])), key=lambda r: r["agrees"]),
        }
        return render_to_string("customers/side_by_side.html", context)

    @dialog_action(
        title="Two different people",
        text="The pair leaves the list and does not come back by itself.",
        label="Not a duplicate",
        submit="They are two people",
        icon="group",
        form=RulingForm,
        permissions=may_rule,
    )
    def not_duplicate(self, request: HttpRequest, form: Any, pair: DuplicateCandidate) -> str:
        return _rule(request, form, pair, DuplicateResolution.NOT_DUPLICATE)

    @dialog_action(
        title="Leave this pair alone",
        text="It leaves the list without a decision.",
        label="Ignore",
        submit="Ignore pair",
        icon="visibility_off",
        form=RulingForm,
        permissions=may_rule,
    )
    def ignore(self, request: HttpRequest, form: Any, pair: DuplicateCandidate) -> str:
        return _rule(request, form, pair, DuplicateResolution.IGNORED)


def _rule(
    request: HttpRequest, form: Any, pair: DuplicateCandidate, resolution: DuplicateResolution
) -> str:
    resolve_duplicate(
        pair=pair,
        resolution=resolution,
        notes=form.cleaned_data["reason"] or None,
        actor=Actor.from_request(request),
    )
    return f"Kept: {resolution.label.lower()}. Find the pair again under Decision, and change it."


def _compared(name: str, first: CustomerProfile, second: CustomerProfile) -> dict[str, Any]:
    values = [getattr(first, name), getattr(second, name)]
    label = "Name" if name == "name" else label_for_field(name, CustomerProfile)
    return {"label": label, "values": values, "agrees": values[0] == values[1]}
