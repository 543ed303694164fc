"""Filters of segments' lists."""

from typing import Any

from django_filters import rest_framework as django_filters

from crm_site.api.filters import TenantFilterSet
from customers.models import CustomerProfile
from segments.models import (
    CustomerSegment,
    SegmentMembershipChange,
    SegmentRefresh,
    SegmentTrial,
)


class SegmentFilter(TenantFilterSet):
    class Meta:
        model = CustomerSegment
        fields = {
            "name": ["exact", "icontains"],
            "type": ["exact"],
            "club": ["exact"],
            "refresh_frequency": ["exact"],
            "is_active": ["exact"],
            "is_system": ["exact"],
            "updated_at": ["gte", "lte"],
        }


class TrialFilter(TenantFilterSet):
    class Meta:
        model = SegmentTrial
        fields = ("status",)


class ChangeFilter(TenantFilterSet):
    class Meta:
        model = SegmentMembershipChange
        fields = {"customer": ["exact"], "move": ["exact"], "changed_at": ["gte", "lte"]}


class RefreshFilter(TenantFilterSet):
    class Meta:
        model = SegmentRefresh
        fields = {"status": ["exact"], "requested_at": ["gte", "lte"]}


class PastMemberFilter(TenantFilterSet):
    """The moment is the question itself, which the view asks; here it is known and described."""

    at = django_filters.IsoDateTimeFilter(
        method="pass_on", help_text="A time with its offset; now, where none is given."
    )

    class Meta:
        model = CustomerProfile
        fields: dict[str, list[str]] = {}

    def pass_on(self, rows: Any, name: str, value: Any) -> Any:
        return rows
