"""What the customer list can be narrowed by."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from crm_site.backoffice import filters
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from customers.choices import CustomerStatus
from customers.models import CustomerImport
from customers.models.profile import CONSENT_FLAGS
from customers.services.importing.people import people_of_import
from customers.services.tagging import tags_in_use

# From one tier to the next along the index, however many customers have each.
TIERS = """
WITH RECURSIVE tier(name) AS (
    (SELECT membership_tier FROM customers_customerprofile
     WHERE tenant_id = %(tenant)s AND membership_tier > '' ORDER BY membership_tier LIMIT 1)
    UNION ALL
    SELECT (SELECT membership_tier FROM customers_customerprofile
            WHERE tenant_id = %(tenant)s AND membership_tier > tier.name
            ORDER BY membership_tier LIMIT 1)
    FROM tier WHERE tier.name IS NOT NULL
)
SELECT name FROM tier WHERE name IS NOT NULL LIMIT 100
"""


# Filters of apps above: the segments somebody is in …
_contributed: list[type[Any]] = []


def customer_filter(made: type[Any]) -> type[Any]:
    """Register a further filter of the customer list."""
    _contributed.append(made)
    return made


def contributed_filters() -> tuple[type[Any], ...]:
    return tuple(_contributed)


class StatusFilter(filters.DropdownFilter):
    """Who was merged away or deleted shows only where asked for."""

    title = "status"
    parameter_name = "show"
    all_option = ("", "Current customers")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (CustomerStatus.ACTIVE, "Active"),
            (CustomerStatus.INACTIVE, "Inactive"),
            (CustomerStatus.DELETED, "Deleted"),
            (CustomerStatus.MERGED, "Merged into another"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == CustomerStatus.DELETED:
            return queryset.filter(deleted_at__isnull=False)
        if value == CustomerStatus.MERGED:
            return queryset.filter(merged_at__isnull=False)
        live = queryset.filter(deleted_at__isnull=True, merged_at__isnull=True)
        return live.filter(status=value) if value in CustomerStatus.values else live


class TierFilter(filters.DropdownFilter):
    title = "tier"
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(TIERS, {"tenant": require_tenant_id()})
            return [(name, name) for (name,) in cursor.fetchall()] or [("", "No tiers yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(membership_tier=self.value()) if self.value() else queryset


class ConsentFilter(filters.DropdownFilter):
    title = "may be contacted by"
    parameter_name = "consent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        yield from ((channel.value, channel.label) for channel in CONSENT_FLAGS)
        yield "none", "Nothing at all"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return queryset.filter(**dict.fromkeys(CONSENT_FLAGS.values(), False))
        if value in CONSENT_FLAGS:
            return queryset.filter(**{CONSENT_FLAGS[Channel(value)]: True})
        return queryset


class TagFilter(filters.DropdownFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "").strip()
        tags = dict.fromkeys([*tags_in_use(), *([asked] if asked else [])])
        return [(tag, tag) for tag in tags] or [("", "No tags yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "").strip()
        return queryset.filter(tags__contains=[value]) if value else queryset


class ImportFilter(filters.DropdownFilter):
    """Only those an import made or changed; shown where its page led here."""

    title = "import"
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name)
        if not asked:
            return []
        known = _uuid(asked)
        job = CustomerImport.objects.filter(pk=known).first() if known else None
        # An unknown one is offered too: without a choice the filter would let everybody through.
        return [(asked, job.file_name if job else "an unknown import")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        asked = _uuid(str(self.value()))
        return queryset.filter(pk__in=people_of_import(asked)) if asked else queryset.none()


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None


class SeenFilter(filters.DropdownFilter):
    title = "last seen"
    parameter_name = "seen"
    days = {"7": "In the last week", "30": "In the last month", "90": "In the last three months"}
    silent = {"-90": "Not for three months", "-365": "Not for a year"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*self.days.items(), *self.silent.items(), ("never", "Never")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "")
        if value == "never":
            return queryset.filter(last_activity_at__isnull=True)
        if value in self.days:
            return queryset.filter(last_activity_at__gte=_days_ago(int(value)))
        if value in self.silent:
            return queryset.filter(
                Q(last_activity_at__lt=_days_ago(-int(value))) | Q(last_activity_at__isnull=True)
            )
        return queryset


class FirstSeenFilter(filters.DropdownFilter):
    title = "first seen"
    parameter_name = "known"
    days = {"7": "In the last week", "30": "In the last month", "365": "In the last year"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.days.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "")
        if value not in self.days:
            return queryset
        return queryset.filter(created_at__gte=_days_ago(int(value)))


def _days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
