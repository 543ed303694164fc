"""Segments by hand, those that come with Fairway, and what a merge or an erasure does."""

import pytest
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from customers.services.merging import merge_profiles
from customers.signals import profile_erased
from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRefresh
from segments.rules.errors import RuleError
from segments.services.authoring import delete_segment, save_segment
from segments.services.membership import change_members
from segments.services.refreshing import SegmentError, request_refresh, run_refresh
from tests.factories import make_customer, make_segment

CITY = {"field": "city", "operator": "equals", "value": "Durban"}


def by_hand(**values):
    return make_segment(type="STATIC", criteria=None, **values)


def ids(segment):
    return set(segment.memberships.values_list("customer_id", flat=True))


def test_members_are_added_and_removed_with_who_did_it(tenant, actor):
    ann, ben, segment, now = make_customer(), make_customer(), by_hand(), timezone.now()

    done = change_members(segment=segment, add=[ann.pk, ben.pk, ann.pk], actor=actor, now=now)

    assert (done.entered_count, done.left_count, segment.member_count) == (2, 0, 2)
    assert segment.memberships.get(customer=ann).added_by == actor.id
    later = timezone.now()
    done = change_members(segment=segment, add=[ben.pk], remove=[ann.pk], actor=actor, now=later)
    assert (done.entered_count, done.left_count) == (0, 1)
    assert ids(segment) == {ben.pk}
    moves = SegmentMembershipChange.objects.filter(customer=ann).order_by("changed_at")
    assert list(moves.values_list("move", "changed_at")) == [("ENTERED", now), ("LEFT", later)]


def test_a_refresh_of_a_segment_by_hand_only_drops_who_is_gone(tenant, actor):
    ann, ben, segment, now = make_customer(), make_customer(), by_hand(), timezone.now()
    change_members(segment=segment, add=[ann.pk, ben.pk], actor=actor, now=now)
    CustomerProfile.objects.filter(pk=ann.pk).update(deleted_at=now)

    run_refresh(refresh_id=request_refresh(segment_id=segment.pk, actor=actor, now=now).pk, now=now)

    assert ids(segment) == {ben.pk}


def test_strangers_and_the_gone_cannot_be_added(tenant, other_tenant, actor):
    ann, gone = make_customer(), make_customer(deleted_at=timezone.now())
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
    segment = by_hand()

    for wrong in (gone, stranger):
        with pytest.raises(SegmentError) as refused:
            change_members(segment=segment, add=[ann.pk, wrong.pk], actor=actor, now=timezone.now())
        assert refused.value.path == "add[1]"
    assert ids(segment) == set()


def test_a_segment_by_rules_takes_nobody_by_hand(tenant, actor):
    with pytest.raises(SegmentError, match="by hand"):
        change_members(
            segment=make_segment(), add=[make_customer().pk], actor=actor, now=timezone.now()
        )


def test_every_tenant_starts_with_its_segments(tenant, other_tenant):
    names = {"All Customers", "Active Members", "High Engagement", "At Risk (Churn)"}

    for owner in (tenant, other_tenant):
        with tenant_scope(owner.pk):
            found = CustomerSegment.objects.filter(is_system=True)
            assert set(found.values_list("name", flat=True)) == names


def test_the_segments_that_come_along_find_whom_they_say(tenant, actor):
    def who(name):
        segment, now = CustomerSegment.objects.get(name=name), timezone.now()
        asked = request_refresh(segment_id=segment.pk, actor=actor, now=now)
        run_refresh(refresh_id=asked.pk, now=now)
        return ids(segment)

    member = make_customer(membership_status="ACTIVE", engagement_score=70)
    leaving = make_customer(membership_status="LAPSED", churn_risk_score=70, engagement_score=69)
    unknown = make_customer()

    assert who("All Customers") == {member.pk, leaving.pk, unknown.pk}
    assert who("Active Members") == {member.pk}
    assert who("High Engagement") == {member.pk}
    assert who("At Risk (Churn)") == {leaving.pk}


def test_a_segment_of_fairways_own_keeps_its_name_and_stays(tenant, actor):
    segment = CustomerSegment.objects.get(name="High Engagement")
    segment.name = "Mine"

    with pytest.raises(SegmentError, match="keeps its name"):
        save_segment(segment, actor=actor, now=timezone.now())
    with pytest.raises(SegmentError, match="stays"):
        delete_segment(segment, now=timezone.now())


def test_saving_rules_asks_for_a_refresh_and_a_new_name_does_not(tenant, actor):
    now = timezone.now()
    segment = CustomerSegment(name="Durban", criteria=[CITY])

    asked = save_segment(segment, actor=actor, now=now)

    assert asked == SegmentRefresh.objects.get()
    assert (segment.created_by, segment.next_refresh_at > now) == (actor.id, True)
    run_refresh(refresh_id=asked.pk, now=now)
    segment.name = "In Durban"
    assert save_segment(segment, actor=actor, now=now) is None


def test_wrong_rules_and_a_taken_name_are_refused(tenant, actor):
    now = timezone.now()
    save_segment(CustomerSegment(name="Durban", criteria=[CITY]), actor=actor, now=now)

    with pytest.raises(SegmentError) as refused:
        save_segment(CustomerSegment(name="Durban", criteria=[CITY]), actor=actor, now=now)
    assert refused.value.path == "name"
    with pytest.raises(RuleError):
        save_segment(CustomerSegment(name="Empty", criteria=[]), actor=actor, now=now)
    with pytest.raises(RuleError):
        save_segment(CustomerSegment(name="Smart", type="SMART"), actor=actor, now=now)


def test_a_segment_that_another_asks_about_stays(tenant, actor):
    base = make_segment(CITY, name="Base")
    user = make_segment({"field": "segment", "operator": "notIn", "value": [str(base.pk)]},
                        name="User")  # fmt: skip

    with pytest.raises(SegmentError, match="“User”"):
        delete_segment(base, now=timezone.now())

    delete_segment(user, now=timezone.now())
    delete_segment(base, now=timezone.now())
    make_segment(name="Base")


def test_a_merge_brings_memberships_along_once(tenant, actor):
    survivor, absorbed, now = make_customer(), make_customer(), timezone.now()
    both, only = by_hand(), by_hand()
    change_members(segment=both, add=[survivor.pk, absorbed.pk], actor=actor, now=now)
    change_members(segment=only, add=[absorbed.pk], actor=actor, now=now)

    merge_profiles(survivor_id=survivor.pk, absorbed_id=absorbed.pk, actor=actor)

    assert ids(both) == ids(only) == {survivor.pk}
    moves = SegmentMembershipChange.objects.filter(changed_at__gt=now)
    assert set(moves.values_list("segment", "customer", "move")) == {
        (both.pk, absorbed.pk, "LEFT"),
        (only.pk, absorbed.pk, "LEFT"),
        (only.pk, survivor.pk, "ENTERED"),
    }


def test_an_erasure_leaves_no_trace_of_memberships(tenant, actor):
    ann, segment = make_customer(), by_hand()
    change_members(segment=segment, add=[ann.pk], actor=actor, now=timezone.now())

    profile_erased.send(sender=CustomerProfile, profile=ann)

    assert ids(segment) == set()
    assert not SegmentMembershipChange.objects.filter(customer=ann).exists()
