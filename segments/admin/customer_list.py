"""What segments add to the customer list: a filter, and putting many into one by hand."""

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from crm_site.access.services import limit_to_grants
from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import DialogForm, dialog_action
from crm_site.backoffice.bulk import WITH_TICKED, BulkForm
from crm_site.backoffice.filters import DropdownFilter
from crm_site.backoffice.widgets import Select
from customers.admin.filters import customer_filter
from customers.admin.profile import CustomerProfileAdmin
from customers.models import CustomerProfile
from segments.choices import SegmentType
from segments.models import CustomerSegment, CustomerSegmentMembership
from segments.services.membership import change_members

OFFERED = 200


@customer_filter
class SegmentFilter(DropdownFilter):
    """Members of one segment, as of its last refresh."""

    title = "segment"
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not request.user.has_perm("segments.view_customersegment"):
            return [("", "–")]
        rows = limit_to_grants(CustomerSegment.objects.live(), request.user).order_by("name")
        found = [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:OFFERED]]
        return found or [("", "No segments yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        offered = {value for value, _ in self.lookup_choices}
        if self.value() not in offered or not self.value():
            return queryset
        inside = CustomerSegmentMembership.objects.filter(
            segment=self.value(), customer=OuterRef("pk")
        )
        return queryset.filter(Exists(inside))


def _by_hand(request: HttpRequest) -> QuerySet[CustomerSegment]:
    segments = limit_to_grants(CustomerSegment.objects.live(), request.user)
    kinds = [SegmentType.STATIC, SegmentType.IMPORT]
    found: QuerySet[CustomerSegment] = segments.filter(type__in=kinds).order_by("name")
    return found


class _AsksForSegment:
    """Which of the segments kept by hand; another's id is no choice."""

    def ask(self) -> None:
        field: Any = self.fields["segment"]  # type: ignore[attr-defined]
        field.queryset = _by_hand(self.request)  # type: ignore[attr-defined]


def _segment_field() -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        queryset=CustomerSegment.all_tenants.none(),
        widget=Select,
        empty_label="Choose a segment kept by hand",
        help_text="Segments by rules fill themselves.",
    )


class SegmentForm(_AsksForSegment, DialogForm):
    segment = _segment_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask()


class BulkSegmentForm(_AsksForSegment, BulkForm):
    segment = _segment_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask()


@dialog_action(
    title="Add to a segment",
    submit="Add",
    form=SegmentForm,
    icon="group_add",
    permissions=["segments.add_customersegmentmembership"],
)
def add_to_segment(
    self: Any, request: HttpRequest, form: SegmentForm, customer: CustomerProfile
) -> str:
    return _add(request, form.cleaned_data["segment"], [customer.pk])


@dialog_action(
    title="Add customers to a segment",
    label="Add to segment",
    submit="Add them",
    form=BulkSegmentForm,
    icon="group_add",
    attrs=WITH_TICKED,
    permissions=["segments.add_customersegmentmembership"],
)
def add_many_to_segment(self: Any, request: HttpRequest, form: BulkSegmentForm, obj: Any) -> str:
    live = form.chosen.rows.filter(deleted_at__isnull=True, merged_at__isnull=True)
    ids = list(live.order_by().values_list("pk", flat=True)[: form.most])
    return _add(request, form.cleaned_data["segment"], ids)


def _add(request: HttpRequest, segment: CustomerSegment, ids: list[Any]) -> str:
    done = change_members(
        segment=segment, add=ids, actor=Actor.from_request(request), now=timezone.now()
    )
    if not done.entered_count:
        return f"“{segment.name}” had them already."
    people = "1 person" if done.entered_count == 1 else f"{done.entered_count:,} people"
    return f"{people} added to “{segment.name}”. Its page takes them out again, under Members."


CustomerProfileAdmin.contribute("actions_detail", add_to_segment)
CustomerProfileAdmin.contribute("actions_list", add_many_to_segment)
