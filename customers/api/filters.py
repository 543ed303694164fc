"""What lists of customers' rows may be filtered by."""

from typing import Any

import django_filters.rest_framework as django_filters

from crm_site.access.services import tenant_in_scope
from crm_site.api.filters import RANGE, TenantFilterSet
from customers.choices import IdentityAliasType
from customers.models import (
    Activity,
    CustomerNote,
    CustomerProfile,
    DuplicateCandidate,
    IdentityAlias,
    SyncLog,
)
from customers.normalize import NormalizeError, normalize_email, normalize_phone
from customers.services.finding import find_customer
from customers.services.search import search_customers

MOST_FOUND = 1_000
EXACT = (
    *("auth_user_id", "scl_member_id", "teetime_player_id", "messaging_contact_id"),
    *("first_name", "last_name", "gender", "city", "state", "postal_code", "home_club_id"),
    *("handicap_provider", "last_activity_type", "merged_into", "created_by"),
    *("email_opt_in", "sms_opt_in", "push_opt_in", "whatsapp_opt_in"),
)
CHOICES = ("status", "lifecycle_stage", "country", "membership_tier", "membership_status")
MEASURES = (
    *("date_of_birth", "member_since", "membership_expiry", "handicap"),
    *("engagement_score", "churn_risk_score", "lifetime_value", "predicted_ltv"),
    *("last_activity_at", "last_booking_at", "last_email_open_at", "last_email_click_at"),
)
COUNTS = (
    *("activity_count_30d", "activity_count_90d", "booking_count_30d", "booking_count_90d"),
    *("created_at", "updated_at"),
)


class CustomerFilter(TenantFilterSet):
    email = django_filters.CharFilter(
        method="by_email", help_text="Any address of theirs, or of a profile merged into them."
    )
    phoneNumber = django_filters.CharFilter(
        method="by_phone", help_text="Any number of theirs, as people write it."
    )

    search = django_filters.CharFilter(
        method="by_words",
        help_text=f"Words of names, addresses, numbers and ids. Finds at most {MOST_FOUND:,}.",
    )

    class Meta:
        model = CustomerProfile
        fields = {
            **{name: ["exact"] for name in EXACT},
            **{name: ["exact", "in"] for name in CHOICES},
            **{name: ["exact", *RANGE, "isnull"] for name in MEASURES},
            **dict.fromkeys(COUNTS, RANGE),
            "tags": ["exact"],
        }

    def by_email(self, rows: Any, name: str, value: str) -> Any:
        try:
            found = find_customer(IdentityAliasType.EMAIL, normalize_email(value))
        except NormalizeError:
            return rows.none()
        return rows.filter(pk=found.pk) if found else rows.none()

    def by_phone(self, rows: Any, name: str, value: str) -> Any:
        try:
            number = normalize_phone(value, tenant_in_scope().country)
        except NormalizeError:
            return rows.none()
        found = find_customer(IdentityAliasType.PHONE, number)
        return rows.filter(pk=found.pk) if found else rows.none()

    def by_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(pk__in=search_customers(value, limit=MOST_FOUND))


class AliasFilter(TenantFilterSet):
    class Meta:
        model = IdentityAlias
        fields = {"type": ["exact"], "value": ["exact"], "is_primary": ["exact"]}


class ActivityFilter(TenantFilterSet):
    class Meta:
        model = Activity
        fields = {
            "customer": ["exact"],
            "type": ["exact", "in"],
            "category": ["exact", "in"],
            "channel": ["exact"],
            "source_service": ["exact"],
            "source_id": ["exact"],
            "source_event_id": ["exact"],
            "occurred_at": RANGE,
        }


class NoteFilter(TenantFilterSet):
    class Meta:
        model = CustomerNote
        fields = {
            "customer": ["exact"],
            "type": ["exact", "in"],
            "is_pinned": ["exact"],
            "is_private": ["exact"],
            "follow_up_on": RANGE,
            "done_at": [*RANGE, "isnull"],
            "created_by": ["exact"],
            "created_at": RANGE,
            "updated_at": RANGE,
        }


class DuplicateFilter(TenantFilterSet):
    customerId = django_filters.UUIDFilter(method="by_customer", help_text="Either of the two.")

    class Meta:
        model = DuplicateCandidate
        fields = {
            "resolution": ["exact", "in"],
            "match_type": ["exact"],
            "match_score": RANGE,
            "created_at": RANGE,
        }

    def by_customer(self, rows: Any, name: str, value: Any) -> Any:
        return rows.involving(value)


class SyncLogFilter(TenantFilterSet):
    class Meta:
        model = SyncLog
        fields = {
            "source_service": ["exact"],
            "event_type": ["exact", "in"],
            "event_id": ["exact"],
            "status": ["exact", "in"],
            "customer_id": ["exact"],
            "conflict_count": RANGE,
            "occurred_at": RANGE,
            "created_at": RANGE,
        }
