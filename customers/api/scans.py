"""Scans for duplicates over HTTP."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm_site.api.jobs import JOB_FIELDS, JobSerializer, JobViewSet, accepted
from crm_site.api.serializers import StrictSerializer
from customers.choices import ScanKind
from customers.models import DuplicateScan
from customers.services.duplicate_scans import request_scan


class DuplicateScanSerializer(JobSerializer):
    """A scan: how far it is, and what it found. ``remarks`` say what was left out, and why."""

    remarks = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = DuplicateScan
        fields = (
            *JOB_FIELDS,
            *("kind", "changed_since", "profile_count", "compared_count", "found_count"),
            *("household_count", "new_count", "reopened_count", "removed_count", "remarks"),
        )
        read_only_fields = fields


class ScanRequestSerializer(StrictSerializer):
    """Whom to look at: everybody, or who changed since the last scan."""

    kind = serializers.ChoiceField(choices=ScanKind.choices, default=ScanKind.FULL)


class DuplicateScanViewSet(JobViewSet):
    """Searches for pairs of profiles that may be one person, one at a time."""

    model = DuplicateScan
    scope = "customers"
    permission_model = "customers.duplicatescan"
    action_permissions = {
        "create": "customers.merge_customerprofile",
        "cancel": "customers.merge_customerprofile",
    }
    serializer_class = DuplicateScanSerializer

    @extend_schema(request=ScanRequestSerializer, responses={202: DuplicateScanSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask for a scan. While one waits or runs, the answer is that one."""
        asked = self.read_body(serializer_class=ScanRequestSerializer)
        scan = request_scan(kind=asked["kind"], actor=self.actor, now=timezone.now())
        return accepted(self, scan)
