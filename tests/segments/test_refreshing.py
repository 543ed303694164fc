"""A refresh writes who entered and who left, and nothing else."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from segments.choices import MembershipMove, RefreshStatus
from segments.models import CustomerSegmentMembership, SegmentMembershipChange, SegmentRefresh
from segments.services.locking import lock
from segments.services.refreshing import (
    SegmentError,
    recover_refreshes,
    request_refresh,
    run_refresh,
)
from segments.signals import membership_changed
from tests.factories import make_customer, make_segment

ACTOR = Actor("user:test")
IN_DURBAN = {"field": "city", "operator": "equals", "value": "Durban"}


def refresh(segment, now=None):
    now = now or timezone.now()
    asked = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)
    done = run_refresh(refresh_id=asked.pk, now=now)
    segment.refresh_from_db()
    return done


def members(segment):
    return set(segment.memberships.values_list("customer_id", flat=True))


@pytest.fixture
def heard():
    """What followers of the signal were told."""
    told = []

    def listen(sender, segment, changed_at, **kwargs):
        told.append((segment.pk, changed_at))

    membership_changed.connect(listen)
    yield told
    membership_changed.disconnect(listen)


def test_a_first_refresh_fills_the_segment(tenant, other_tenant, heard):
    with tenant_scope(other_tenant.pk):
        make_customer(city="Durban")
    ann, _ = make_customer(city="Durban"), make_customer(city="Cape Town")
    make_customer(city="Durban", deleted_at=timezone.now())
    segment, now = make_segment(IN_DURBAN), timezone.now()

    done = refresh(segment, now)

    assert (done.status, done.entered_count, done.left_count, done.member_count) == (
        RefreshStatus.SUCCESS, 1, 0, 1)  # fmt: skip
    assert members(segment) == {ann.pk}
    assert (segment.member_count, segment.last_refreshed_at) == (1, now)
    membership = segment.memberships.get()
    assert (membership.matched_at, membership.added_by) == (now, None)
    change = SegmentMembershipChange.objects.get()
    assert (change.customer_id, change.move, change.changed_at, change.refresh) == (
        ann.pk, MembershipMove.ENTERED, now, done)  # fmt: skip
    assert heard == [(segment.pk, now)]


def test_a_later_refresh_writes_only_the_difference(tenant, heard):
    stays, leaves = make_customer(city="Durban"), make_customer(city="Durban")
    segment = make_segment(IN_DURBAN)
    refresh(segment)
    kept = segment.memberships.get(customer=stays)
    comes = make_customer(city="durban")
    CustomerProfile.objects.filter(pk=leaves.pk).update(city="Cape Town")

    done = refresh(segment)

    assert (done.entered_count, done.left_count, done.member_count) == (1, 1, 2)
    assert members(segment) == {stays.pk, comes.pk}
    assert segment.memberships.get(customer=stays).matched_at == kept.matched_at
    moves = SegmentMembershipChange.objects.filter(refresh=done)
    assert set(moves.values_list("customer_id", "move")) == {
        (comes.pk, MembershipMove.ENTERED), (leaves.pk, MembershipMove.LEFT)}  # fmt: skip
    assert len(heard) == 2


def test_a_refresh_that_changes_nothing_tells_nobody(tenant, heard, django_assert_max_num_queries):
    make_customer(city="Durban")
    segment = make_segment(IN_DURBAN)
    refresh(segment)
    heard.clear()

    with django_assert_max_num_queries(32):
        done = refresh(segment)

    assert (done.status, done.entered_count, done.left_count) == (RefreshStatus.SUCCESS, 0, 0)
    assert SegmentMembershipChange.objects.count() == 1
    assert heard == []


def test_those_merged_or_deleted_since_leave(tenant):
    gone, merged, ann = (make_customer(city="Durban") for _ in range(3))
    segment = make_segment(IN_DURBAN)
    refresh(segment)
    now = timezone.now()
    CustomerProfile.objects.filter(pk=gone.pk).update(deleted_at=now, status="DELETED")
    CustomerProfile.objects.filter(pk=merged.pk).update(
        merged_at=now, merged_into=ann, status="MERGED"
    )

    refresh(segment)

    assert members(segment) == {ann.pk}


def test_rules_that_cannot_be_read_keep_the_members_and_say_why(tenant, heard):
    ann = make_customer(city="Durban")
    segment = make_segment(IN_DURBAN)
    refresh(segment)
    before = segment.last_refreshed_at
    segment.criteria = [{"field": "shoeSize", "operator": "equals", "value": 9}]
    segment.save()

    done = refresh(segment)

    assert done.status == RefreshStatus.FAILED
    assert "rules[0].field" in done.error
    assert "rules[0].field" in segment.broken_reason
    assert members(segment) == {ann.pk}
    assert segment.last_refreshed_at == before

    segment.criteria = [IN_DURBAN]
    segment.save()
    refresh(segment)
    assert segment.broken_reason is None


def test_a_follower_that_fails_takes_the_whole_refresh_back(tenant):
    def fail(sender, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    make_customer(city="Durban")
    segment = make_segment(IN_DURBAN)
    membership_changed.connect(fail)
    try:
        done = refresh(segment)
    finally:
        membership_changed.disconnect(fail)

    assert done.status == RefreshStatus.FAILED
    assert "division by zero" in done.error
    assert members(segment) == set()
    assert (segment.member_count, segment.last_refreshed_at) == (0, None)


def test_a_question_that_takes_too_long_is_stopped(tenant, monkeypatch):
    monkeypatch.setattr("segments.services.refreshing.STATEMENT_SECONDS", 0.05)

    def slow(sender, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(2)")

    make_customer(city="Durban")
    segment = make_segment(IN_DURBAN)
    membership_changed.connect(slow)
    try:
        done = refresh(segment)
    finally:
        membership_changed.disconnect(slow)

    assert done.error == "It took too long and was stopped. Make the rules simpler."
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)


def test_who_asks_while_one_waits_is_given_that_one(tenant):
    segment, now = make_segment(), timezone.now()

    first = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)
    second = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)

    assert first == second
    run_refresh(refresh_id=first.pk, now=now)
    assert run_refresh(refresh_id=first.pk, now=now) is None
    assert SegmentRefresh.objects.count() == 1


def test_one_refresh_of_a_segment_at_a_time(tenant):
    segment, now = make_segment(), timezone.now()
    running = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)
    SegmentRefresh.objects.update(status=RefreshStatus.RUNNING, started_at=now)

    waiting = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)

    assert waiting != running
    assert run_refresh(refresh_id=waiting.pk, now=now) is None
    waiting.refresh_from_db()
    assert waiting.status == RefreshStatus.PENDING


def test_a_deleted_segment_is_not_refreshed(tenant):
    gone = make_segment(deleted_at=timezone.now())

    with pytest.raises(SegmentError):
        request_refresh(segment_id=gone.pk, actor=ACTOR, now=timezone.now())


def test_another_clubs_segment_cannot_be_refreshed(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        theirs = make_segment()

    with pytest.raises(SegmentError):
        request_refresh(segment_id=theirs.pk, actor=ACTOR, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_dead_workers_refresh_is_given_to_another_and_a_living_ones_is_not(tenant):
    with transaction.atomic():
        make_customer()
        segment, now = make_segment(), timezone.now()
        asked = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)
        claimed = SegmentRefresh.objects.filter(pk=asked.pk)
        claimed.update(status=RefreshStatus.RUNNING, started_at=now, attempt_count=1)
    later = now + timedelta(minutes=5)
    working, done = threading.Event(), threading.Event()

    def work():
        with tenant_scope(tenant.pk), transaction.atomic():
            lock(segment.pk)
            working.set()
            done.wait(10)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    working.wait(10)
    assert recover_refreshes(later) == 0
    done.set()
    worker.join()

    assert recover_refreshes(now + timedelta(seconds=5)) == 0
    assert recover_refreshes(later) == 1
    run_refresh(refresh_id=asked.pk, now=later)
    with transaction.atomic():
        asked.refresh_from_db()
        assert (asked.status, asked.attempt_count) == (RefreshStatus.SUCCESS, 2)
        assert CustomerSegmentMembership.objects.filter(segment=segment).count() == 1


def test_a_refresh_that_keeps_dying_fails_in_the_end(tenant):
    segment, now = make_segment(), timezone.now()
    asked = request_refresh(segment_id=segment.pk, actor=ACTOR, now=now)
    SegmentRefresh.objects.update(
        status=RefreshStatus.RUNNING, started_at=now - timedelta(hours=1), attempt_count=3
    )

    recover_refreshes(now)

    asked.refresh_from_db()
    assert asked.status == RefreshStatus.FAILED
    assert "cut short" in asked.error
