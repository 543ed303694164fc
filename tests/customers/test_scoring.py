"""Scores that can be explained: how engaged, and how likely to leave."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, CustomerProfile
from customers.services.scoring import explain_scores, score_customers
from tests.factories import make_customer

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def did(customer, category, *days_ago):
    for days in days_ago:
        Activity.objects.create(
            customer=customer,
            type=f"{category}_DEED",
            category=category,
            title="Something",
            source_service="crm",
            occurred_at=NOW - timedelta(days=days),
        )


def scores(customer):
    customer.refresh_from_db()
    return customer.engagement_score, customer.churn_risk_score


def test_a_keen_member_is_engaged_and_no_risk(tenant):
    keen = make_customer(membership_tier="Full", membership_expiry="2027-10-01")
    did(keen, "BOOKING", *range(0, 24, 2))
    did(keen, "ENGAGEMENT", 1, 3, 5, 7)

    score_customers(now=NOW)

    assert scores(keen) == (100, 0)


def test_a_member_who_went_silent_before_the_renewal_is_at_risk(tenant):
    silent = make_customer(membership_tier="Full", membership_expiry="2026-12-10")
    did(silent, "BOOKING", 105, 120, 130, 150)

    score_customers(now=NOW)

    parts = explain_scores(customer_id=silent.pk, now=NOW)
    assert (parts.silence, parts.slowing, parts.membership) == (23, 30, 15)
    assert scores(silent) == (parts.engagement, 68)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (0, None)),  # A lead: nothing to lose.
        ({"membership_tier": "Full", "lifecycle_stage": "CHURNED"}, (0, None)),  # Gone already.
        ({"membership_tier": "Full", "membership_expiry": "2026-01-01"}, (0, 70)),
    ],
)
def test_who_has_nothing_to_leave_has_no_risk(tenant, values, expected):
    customer = make_customer(**values)

    score_customers(now=NOW)

    assert scores(customer) == expected


def test_what_the_club_did_counts_for_nothing(tenant):
    told = make_customer()
    did(told, "COMMUNICATION", 1, 2, 3)
    did(told, "MEMBERSHIP", 1)

    score_customers(now=NOW)

    assert scores(told) == (0, None)


def test_only_changed_rows_are_written_and_only_in_one_tenant(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
        did(stranger, "BOOKING", 1)
    for _ in range(3):
        did(make_customer(), "BOOKING", 1)

    with CaptureQueriesContext(connection) as queries:
        first = score_customers(now=NOW)
    again = score_customers(now=NOW)

    assert (first, again) == (3, 0)
    assert len(queries) <= 3
    with tenant_scope(other_tenant.pk):
        assert CustomerProfile.objects.get(pk=stranger.pk).engagement_score is None
        assert explain_scores(customer_id=stranger.pk, now=NOW).engagement > 0
    assert explain_scores(customer_id=stranger.pk, now=NOW) is None
