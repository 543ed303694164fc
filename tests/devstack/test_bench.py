"""The bench measures what it says, at a size that takes no time."""

import pytest
from django.core.management import call_command
from django.db import transaction

from crm_site.devstack.bench.dataset import TENANT, Size
from crm_site.devstack.bench.measuring import Comparison, Page, alternate
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, CustomerProfile
from segments.models import CustomerSegment


def test_ours_and_the_floor_take_turns():
    turns = []
    comparison = Comparison("Work", 2.0)

    alternate(
        comparison, ours=lambda: turns.append("ours"), floor=lambda: turns.append("floor"), runs=2
    )

    warm_up, measured = turns[:2], turns[2:]
    assert warm_up == ["ours", "floor"]
    assert measured == ["ours", "floor", "floor", "ours"]
    assert len(comparison.ours) == len(comparison.floor) == 2


def test_a_ratio_is_of_medians_and_p95_of_the_slow_end():
    comparison = Comparison("Work", 2.5, ours=[2.0, 90.0, 2.0], floor=[1.0, 1.0, 0.1])
    page = Page("List", [10.0] * 19 + [100.0], queries=7)

    assert (comparison.ratio, comparison.is_met) == (2.0, True)
    assert page.median == 10.0
    assert 10.0 < page.p95 <= 100.0


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_tiny_bench_builds_measures_and_prints(capsys):
    call_command("bench", scale=0.001, runs=1, requests=2)

    printed = capsys.readouterr().out
    for line in ("Refresh, nothing changed", "Refresh, first fill", "Events", "Customer page"):
        assert f"| {line}" in printed
    size = Size(0.001)
    with tenant_scope(TENANT), transaction.atomic():
        assert CustomerProfile.objects.filter(teetime_player_id__startswith="player-").count() == (
            size.customers
        )
        assert Activity.objects.filter(source_event_id__startswith="bench-").count() == (
            size.activities
        )
        ours = CustomerSegment.objects.filter(name__startswith="Ours").values_list(
            "member_count", flat=True
        )
        by_hand = CustomerProfile.objects.live().filter(
            lifecycle_stage="MEMBER", booking_count_90d__gte=2
        )
        # Bookings measured afterwards may have let a few more in.
        assert 0 < max(ours) <= by_hand.count()
