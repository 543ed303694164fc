"""Segments refresh by themselves, at their hour, in an order that is right."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.tenancy.context import tenant_scope
from segments import tasks
from segments.choices import RefreshStatus, SegmentRefreshFrequency
from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRefresh
from segments.services.refreshing import request_refresh, run_refresh
from segments.services.schedule import next_refresh_at, queue_due, ready_refreshes
from tests.factories import make_customer, make_segment

LONDON = ZoneInfo("Europe/London")
HOURLY, DAILY, WEEKLY = (SegmentRefreshFrequency.HOURLY, SegmentRefreshFrequency.DAILY,
                         SegmentRefreshFrequency.WEEKLY)  # fmt: skip


def moments(frequency, start, count, zone=LONDON, segment_id=None):
    segment_id, found = segment_id or uuid4(), [start]
    for _ in range(count):
        found.append(next_refresh_at(frequency, segment_id, zone, after=found[-1]))
    return found[1:]


def test_daily_is_once_a_local_night_also_when_the_clocks_change():
    for month in (3, 10):
        nights = [
            moment.astimezone(LONDON)
            for moment in moments(DAILY, datetime(2026, month, 20, 12, tzinfo=UTC), 12)
        ]

        assert len({night.date() for night in nights}) == 12
        assert (nights[-1].date() - nights[0].date()).days == 11
        assert all(2 <= night.hour < 6 for night in nights)


def test_weekly_is_before_mondays_work():
    found = moments(WEEKLY, datetime(2026, 3, 20, tzinfo=UTC), 5)

    local = [moment.astimezone(LONDON) for moment in found]
    assert {moment.weekday() for moment in local} == {0}
    assert {(later - sooner).days for sooner, later in itertools.pairwise(local)} == {7}


def test_hourly_keeps_its_minute():
    found = moments(HOURLY, datetime(2026, 3, 20, 12, 59, 59, tzinfo=UTC), 30)

    assert len({moment.minute for moment in found}) == 1
    assert {b - a for a, b in itertools.pairwise(found)} == {timedelta(hours=1)}


def test_manual_has_no_schedule():
    assert next_refresh_at("MANUAL", uuid4(), LONDON, after=timezone.now()) is None


def test_segments_are_spread_over_the_night():
    start = datetime(2026, 6, 1, 12, tzinfo=UTC)

    assert len({moments(DAILY, start, 1)[0] for _ in range(200)}) > 50


@pytest.fixture
def nudged(monkeypatch):
    """The refreshes that were put into the worker's queue."""
    calls = []
    monkeypatch.setattr(tasks.refresh_one, "delay", lambda *args: calls.append(args))
    return calls


def test_the_tick_queues_what_is_due_in_every_tenant(tenant, other_tenant, nudged):
    CustomerSegment.objects.update(next_refresh_at=timezone.now() + timedelta(days=1))
    due = make_segment(next_refresh_at=timezone.now() - timedelta(seconds=1))
    make_segment(next_refresh_at=timezone.now() + timedelta(hours=1))
    make_segment(refresh_frequency="MANUAL")
    make_segment(is_active=False)
    make_segment(broken_reason="rules[0].field: gone")
    make_segment(type="STATIC")
    with tenant_scope(other_tenant.pk):
        CustomerSegment.objects.update(next_refresh_at=timezone.now() + timedelta(days=1))
        theirs = make_segment()

    assert tasks.refresh_due() == 2

    queued = SegmentRefresh.objects.get()
    assert queued.segment == due
    assert (tenant.pk, str(queued.pk)) in nudged
    due.refresh_from_db()
    assert due.next_refresh_at > timezone.now()
    with tenant_scope(other_tenant.pk):
        assert SegmentRefresh.objects.get().segment == theirs


def test_a_second_tick_nudges_what_still_waits_but_queues_nothing_twice(tenant, nudged):
    CustomerSegment.objects.exclude(name="All Customers").delete()

    tasks.refresh_due()
    tasks.refresh_due()

    assert SegmentRefresh.objects.count() == 1
    mine = [call for call in nudged if call[0] == tenant.pk]
    assert len(mine) == 2
    assert mine[0] == mine[1]


def test_a_task_refreshes_one_segment(tenant, nudged):
    make_customer()
    asked = request_refresh(
        segment_id=make_segment().pk, actor=Actor("user:test"), now=timezone.now()
    )

    assert tasks.refresh_one(tenant.pk, str(asked.pk)) == (1, 0)
    assert tasks.refresh_one(tenant.pk, str(asked.pk)) is None


def test_what_a_segment_asks_about_is_refreshed_first(tenant, nudged):
    CustomerSegment.objects.all().delete()
    ann = make_customer(city="Durban")
    now = timezone.now()
    base = make_segment({"field": "city", "operator": "equals", "value": "Durban"})
    middle = make_segment({"field": "segment", "operator": "in", "value": [str(base.pk)]})
    top = make_segment({"field": "segment", "operator": "in", "value": [str(middle.pk)]})

    order = []
    ready = queue_due(now)
    while ready:
        (refresh_id,) = ready
        order.append(run_refresh(refresh_id=refresh_id, now=now).segment)
        ready = ready_refreshes()

    assert order == [base, middle, top]
    assert list(top.memberships.values_list("customer_id", flat=True)) == [ann.pk]


def test_a_failed_refresh_is_tried_again_soon(tenant, monkeypatch):
    now = timezone.now()
    segment = make_segment(next_refresh_at=now + timedelta(days=1))
    asked = request_refresh(segment_id=segment.pk, actor=Actor("user:test"), now=now)
    monkeypatch.setattr("segments.services.difference.COUNT", "SELECT 1 / 0")

    assert run_refresh(refresh_id=asked.pk, now=now).status == RefreshStatus.FAILED

    segment.refresh_from_db()
    assert segment.next_refresh_at == now + timedelta(minutes=10)


def test_old_history_is_forgotten_by_each_tenants_own_rule(tenant, other_tenant):
    now = timezone.now()
    for owner, days in ((tenant, 10), (other_tenant, 400)):
        owner.membership_change_retention_days = days
        with tenant_scope(owner.pk):
            owner.save()
            segment, customer = make_segment(), make_customer()
            for age in (5, 50):
                SegmentMembershipChange.objects.create(
                    segment=segment, customer=customer, move="ENTERED",
                    changed_at=now - timedelta(days=age),
                )  # fmt: skip

    assert tasks.retain() == 1

    assert SegmentMembershipChange.objects.count() == 1
    with tenant_scope(other_tenant.pk):
        assert SegmentMembershipChange.objects.count() == 2
