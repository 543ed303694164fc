"""The members of a segment, and adding and removing them by hand."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import DialogForm
from crm_site.backoffice.options import LazyTab
from crm_site.backoffice.people import names_of
from crm_site.backoffice.widgets import Textarea
from customers.models import CustomerProfile
from customers.services.finding import find_by_address
from segments.models import CustomerSegment
from segments.services.matching import model_reasons
from segments.services.membership import change_members

PAGE = 50
MOST_AT_ONCE = 200
NAMED_IN_A_MESSAGE = 5


def customer_url(customer_id: UUID) -> str:
    try:
        return reverse("admin:customers_customerprofile_change", args=[customer_id])
    except NoReverseMatch:
        return ""


def may_change(request: HttpRequest, segment: CustomerSegment) -> bool:
    """Whether this user adds and removes members; asks nothing about the single segment's grant."""
    verbs = ("add", "delete")
    names = (f"segments.{verb}_customersegmentmembership" for verb in verbs)
    return segment.is_by_hand and all(request.user.has_perm(name) for name in names)


class MembersTab(LazyTab):
    name = "members"
    title = "Members"
    template_name = "admin/segments/members.html"

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        segment: Any = self.obj
        after = request.GET.get("after", "")
        page = _best_first if segment.is_by_model else _by_id
        found, following = page(segment.memberships.select_related("customer"), after)
        adders = names_of([row.added_by for row in found if row.added_by])
        for row in found:
            row.adder = adders.get(row.added_by, "") if row.added_by else ""
            row.why = model_reasons(row)
            row.percent = None if row.match_score is None else round(row.match_score * 100)
        return {
            "segment": segment,
            "rows": [(row, customer_url(row.customer_id)) for row in found],
            "next": following,
            "is_first": not after,
            "may_change": may_change(request, segment),
        }


def _by_id(rows: QuerySet[Any], after: str) -> tuple[list[Any], object]:
    """A page of members after that customer's id, and what to ask for the next with."""
    last = _uuid(after)
    if last is not None:
        rows = rows.filter(customer_id__gt=last)
    found = list(rows.order_by("customer_id")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].customer_id if len(found) > PAGE else None


def _best_first(rows: QuerySet[Any], after: str) -> tuple[list[Any], object]:
    """The same by score, after so many."""
    start = int(after) if after.isascii() and after.isdecimal() and len(after) < 7 else 0
    ordered = rows.order_by("-match_score", "customer_id")
    found = list(ordered[start : start + PAGE + 1])
    return found[:PAGE], start + PAGE if len(found) > PAGE else None


class AddMembersForm(DialogForm):
    """Who is added, each found or named as not found: nobody is left out silently."""

    people = forms.CharField(
        label="Who",
        widget=Textarea(attrs={"rows": 6, "autofocus": True}),
        help_text="E-mail addresses, phone numbers or member numbers, one a line.",
    )

    def clean_people(self) -> list[CustomerProfile]:
        lines = [line.strip(" ,;") for line in self.cleaned_data["people"].splitlines()]
        asked = [line for line in dict.fromkeys(lines) if line]
        if not asked:
            raise forms.ValidationError("Name at least one person.")
        if len(asked) > MOST_AT_ONCE:
            raise forms.ValidationError(f"At most {MOST_AT_ONCE} people at once.")
        found = {line: find_by_address(line) for line in asked}
        unknown = [line for line, customer in found.items() if customer is None]
        if unknown:
            named = ", ".join(f"“{line}”" for line in unknown[:NAMED_IN_A_MESSAGE])
            more = len(unknown) - NAMED_IN_A_MESSAGE
            rest = f" and {more} more" if more > 0 else ""
            raise forms.ValidationError(f"No customer has {named}{rest}. Nobody was added.")
        return [customer for customer in found.values() if customer is not None]


def add_people(segment: CustomerSegment, people: list[CustomerProfile], actor: Actor) -> str:
    """Add them; returns a sentence that says what that changed."""
    done = change_members(
        segment=segment, add=[each.pk for each in people], actor=actor, now=timezone.now()
    )
    added = done.entered_count
    if not added:
        return "They were in it already."
    who = people[0].name if len(people) == 1 else f"{added} {'person' if added == 1 else 'people'}"
    return f"{who} added to “{segment.name}”. Remove takes somebody out again, under Members."


def change_one(request: HttpRequest, segment: CustomerSegment, customer_id: UUID) -> HttpResponse:
    """POST: ``do`` is add or remove. Answers with the member's row, which offers the way back."""
    if request.method != "POST" or not may_change(request, segment):
        raise PermissionDenied
    customer = CustomerProfile.objects.filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    move = "add" if request.POST.get("do") == "add" else "remove"
    change_members(
        segment=segment,
        actor=Actor.from_request(request),
        now=timezone.now(),
        **{move: [customer.pk]},
    )
    context = {
        "segment": segment,
        "row": segment.memberships.filter(customer=customer).first(),
        "customer": customer,
        "url": customer_url(customer.pk),
        "may_change": True,
    }
    return render(request, "admin/segments/member.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
