"""Filters of segments' lists."""

from crm_site.api.filters import TenantFilterSet
from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRefresh


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


class ChangeFilter(TenantFilterSet):
    class Meta:
        model = SegmentMembershipChange
        fields = {"customer": ["exact"], "move": ["exact"], "changed_at": ["gte", "lte"]}


class RefreshFilter(TenantFilterSet):
    class Meta:
        model = SegmentRefresh
        fields = {"status": ["exact"], "requested_at": ["gte", "lte"]}
