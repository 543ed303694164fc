"""The 30 and 90 days are days of the club, whole ones, whatever the clocks do."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from customers.services.counters import renew_counters
from tests.factories import make_activity, make_customer


@pytest.fixture
def zone(tenant):
    tenant.time_zone = "Europe/Paris"
    tenant.save()
    return ZoneInfo(tenant.time_zone)


def counts(customer):
    customer.refresh_from_db()
    return customer.booking_count_30d, customer.booking_count_90d


def test_days_begin_at_the_clubs_midnight_across_a_change_of_clocks(zone):
    """Clocks fell back on 25 October 2026, in the middle of the 30 days before 10 November."""
    customer, earlier = make_customer(), make_customer()
    first_moment = datetime(2026, 10, 11, tzinfo=zone)
    make_activity(customer=customer, occurred_at=first_moment)
    make_activity(customer=earlier, occurred_at=first_moment - timedelta(seconds=1))

    renew_counters(now=datetime(2026, 11, 10, 6, tzinfo=zone))

    assert (counts(customer), counts(earlier)) == ((1, 1), (0, 1))


def test_a_counter_stays_right_all_day_and_moves_at_midnight(zone, other_tenant):
    customer = make_customer()
    make_activity(customer=customer, occurred_at=datetime(2026, 10, 11, 0, 30, tzinfo=zone))
    with tenant_scope(other_tenant.pk):
        make_activity(occurred_at=datetime(2026, 10, 11, 0, 30, tzinfo=zone))
        stranger = CustomerProfile.objects.get()

    moved = [
        renew_counters(now=datetime(2026, 11, 10, hour, 1, tzinfo=zone)) for hour in (0, 12, 23)
    ]
    assert (moved, counts(customer)) == ([1, 0, 0], (1, 1))

    assert renew_counters(now=datetime(2026, 11, 11, 0, 1, tzinfo=zone)) == 1
    assert counts(customer) == (0, 1)
    with tenant_scope(other_tenant.pk):
        assert counts(stranger) == (0, 0)


def test_a_midnight_that_the_clocks_skip_is_no_trouble(tenant):
    tenant.time_zone = "America/Santiago"  # 6 September 2026 begins at one o'clock.
    tenant.save()
    zone, customer = ZoneInfo("America/Santiago"), make_customer()
    make_activity(customer=customer, occurred_at=datetime(2026, 9, 6, 1, tzinfo=zone))
    make_activity(customer=customer, occurred_at=datetime(2026, 9, 5, 23, 59, tzinfo=zone))

    renew_counters(now=datetime(2026, 10, 6, 8, tzinfo=zone))

    assert counts(customer) == (1, 2)
