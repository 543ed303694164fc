"""Who changes joins and leaves at once, without waiting for a refresh."""

import pytest
from django.db import connection
from django.utils import timezone

from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant
from customers.choices import ActivityCategory
from customers.services.activities import create_activity
from customers.services.consent import Preference, apply_preferences
from customers.services.profiles import (
    create_profile,
    delete_profile,
    restore_profile,
    update_profile,
    upsert_profiles,
)
from segments.choices import MembershipMove, RefreshStatus
from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRecheck, SegmentRefresh
from segments.services import rechecking
from segments.services.membership import change_members
from segments.services.rechecking import recheck_changed
from segments.signals import membership_changed
from tests.factories import make_customer, make_segment
from tests.segments.test_refreshing import members, refresh

IN_DURBAN = {"field": "city", "operator": "equals", "value": "Durban"}
BOOKED_TWICE = {
    "activity": {"type": "TEETIME_BOOKED"},
    "operator": "countAtLeast",
    "value": 2,
    "within": {"amount": 90, "unit": "days"},
}


def filled(*rules, **values):
    """A segment whose first refresh is over."""
    segment = make_segment(*rules, **values)
    refresh(segment)
    return segment


def look():
    """What the task does, until nobody waits."""
    while recheck_changed(timezone.now()).customer_count:
        pass


def test_an_edit_lets_in_and_out(tenant, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        theirs = filled(IN_DURBAN)
    segment = filled(IN_DURBAN)
    ann = create_profile(values={"first_name": "Ann", "city": "Durban"}, actor=actor)

    look()

    segment.refresh_from_db()
    assert (members(segment), segment.member_count) == ({ann.pk}, 1)
    update_profile(customer_id=ann.pk, values={"city": "Ballito"}, actor=actor)
    look()
    segment.refresh_from_db()
    assert (members(segment), segment.member_count) == (set(), 0)
    history = segment.membership_changes.order_by("pk").values_list("customer_id", "move")
    assert list(history) == [(ann.pk, MembershipMove.ENTERED), (ann.pk, MembershipMove.LEFT)]
    with tenant_scope(other_tenant.pk):
        assert members(theirs) == set()


@pytest.mark.parametrize("frequency", ["MANUAL", "HOURLY", "DAILY", "WEEKLY"])
def test_how_often_a_segment_refreshes_does_not_matter(tenant, actor, frequency):
    segment = filled(IN_DURBAN, refresh_frequency=frequency)
    before = segment.last_refreshed_at

    upsert_profiles([{"email": "ann@example.com", "city": "Durban"}], actor=actor)
    look()

    segment.refresh_from_db()
    assert segment.member_count == 1
    assert segment.last_refreshed_at == before


def test_activities_consent_and_age_count_too(tenant, actor):
    ann = make_customer(email="ann@example.com")
    booked = filled(BOOKED_TWICE)
    agreed = filled({"field": "emailOptIn", "operator": "isTrue"})
    old = filled({"field": "age", "operator": "greaterThan", "value": 60})

    for number in range(2):
        create_activity(
            customer_id=ann.pk, actor=actor, type="TEETIME_BOOKED", title="Tee time",
            category=ActivityCategory.BOOKING, source_event_id=f"b{number}",
        )  # fmt: skip
    told = Preference(Channel.EMAIL, is_opted_in=True, changed_at=timezone.now())
    apply_preferences([(ann.pk, told)], actor=actor)
    born = timezone.now().date().replace(year=1950, day=1)
    update_profile(customer_id=ann.pk, values={"date_of_birth": born}, actor=actor)
    look()

    assert members(booked) == members(agreed) == members(old) == {ann.pk}


def test_who_is_deleted_leaves_and_comes_back_when_restored(tenant, actor):
    ann = make_customer(city="Durban")
    segment = filled(IN_DURBAN)

    delete_profile(customer_id=ann.pk, actor=actor)
    look()

    assert members(segment) == set()
    restore_profile(customer_id=ann.pk, actor=actor)
    look()
    assert members(segment) == {ann.pk}


def test_nobody_is_marked_where_no_rules_read_what_moved(tenant, actor):
    ann = make_customer(city="Durban")
    filled({"field": "handicap", "operator": "lessThan", "value": 10})

    update_profile(customer_id=ann.pk, values={"city": "Ballito"}, actor=actor)

    assert not SegmentRecheck.objects.exists()


def test_a_club_can_switch_it_off(tenant, actor):
    Tenant.objects.filter(pk=tenant.pk).update(keeps_segments_current=False)
    segment = filled(IN_DURBAN)

    create_profile(values={"first_name": "Ann", "city": "Durban"}, actor=actor)
    look()

    assert members(segment) == set()
    refresh(segment)
    assert segment.member_count == 1


def test_segments_that_ask_about_segments_follow(tenant, actor):
    first = filled(IN_DURBAN)
    asks = {"field": "segment", "operator": "in", "value": [str(first.pk)]}
    second = filled(asks)
    without = {"field": "segment", "operator": "notIn", "value": [str(second.pk)]}
    third = filled(without)

    ann = create_profile(values={"first_name": "Ann", "city": "Durban"}, actor=actor)
    look()

    assert (members(first), members(second), members(third)) == ({ann.pk}, {ann.pk}, set())


def test_a_list_by_hand_moves_the_segments_that_ask_about_it(tenant, actor):
    ann, by_hand = make_customer(), make_segment(type="STATIC", criteria=None)
    asks = filled({"field": "segment", "operator": "in", "value": [str(by_hand.pk)]})

    change_members(segment=by_hand, add=[ann.pk], actor=actor, now=timezone.now())
    look()

    assert members(asks) == {ann.pk}


def test_many_who_changed_are_asked_about_together(tenant, actor, django_assert_max_num_queries):
    for value in range(20):
        filled({"field": "handicap", "operator": "lessThan", "value": value})
    people = [{"email": f"p{n}@example.com", "handicap": n % 20} for n in range(60)]
    upsert_profiles(people, actor=actor)

    with django_assert_max_num_queries(45):  # One signal's look per segment that moved.
        done = recheck_changed(timezone.now())

    assert done.customer_count == 60
    assert done.entered_count == sum(3 * (19 - h) for h in range(20))
    ours = CustomerSegment.objects.filter(is_system=False)
    counts = ours.values_list("criteria__0__value", "member_count")
    assert sorted(counts) == [(value, 3 * value) for value in range(20)]


def test_new_rules_wait_for_their_refresh_so_that_nobody_sees_half(tenant, actor):
    make_customer(city="Durban")
    unfilled = make_segment(IN_DURBAN)

    create_profile(values={"first_name": "Ben", "city": "Durban"}, actor=actor)
    look()

    assert members(unfilled) == set()
    refresh(unfilled)
    assert unfilled.member_count == 2


def test_so_many_that_a_refresh_is_sooner_done(tenant, actor, monkeypatch):
    monkeypatch.setattr(rechecking, "MOST_WAITING", 5)
    segment, other = filled(IN_DURBAN), filled({"field": "tags", "operator": "isEmpty"})
    SegmentRefresh.objects.all().delete()
    ids = [make_customer(city="Durban").pk for _ in range(7)]

    rechecking.mark_changed(ids, ["city"], now=timezone.now())
    look()

    waiting = SegmentRefresh.objects.filter(status=RefreshStatus.PENDING)
    assert list(waiting.values_list("segment_id", flat=True)) == [segment.pk]
    assert not SegmentRecheck.objects.exists()
    assert members(other) == set()


def test_rules_that_the_database_cannot_answer_do_not_hold_up_the_others(
    tenant, actor, monkeypatch
):
    bad, good = filled(IN_DURBAN), filled({"field": "city", "operator": "isNotNull"})
    SegmentRefresh.objects.all().delete()
    asked = rechecking.matches_each

    def fail_on_one(groups, clock, ids):
        with connection.cursor() as cursor:
            if any(group.rules[0].operator.name == "equals" for group in groups):
                cursor.execute("SELECT 1 / 0")
        return asked(groups, clock, ids)

    monkeypatch.setattr(rechecking, "matches_each", fail_on_one)
    ann = create_profile(values={"first_name": "Ann", "city": "Durban"}, actor=actor)
    look()

    assert (members(bad), members(good)) == (set(), {ann.pk})
    assert SegmentRefresh.objects.get().segment_id == bad.pk


def test_followers_hear_of_each_segment_that_moved(tenant, actor):
    told = []

    def listen(sender, segment, changed_at, **kwargs):
        entered = SegmentMembershipChange.objects.filter(segment=segment, changed_at=changed_at)
        told.append((segment.pk, set(entered.values_list("customer_id", flat=True))))

    segment = filled(IN_DURBAN)
    ann = create_profile(values={"first_name": "Ann", "city": "Durban"}, actor=actor)
    membership_changed.connect(listen)
    try:
        look()
    finally:
        membership_changed.disconnect(listen)

    assert told == [(segment.pk, {ann.pk})]
