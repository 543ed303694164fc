"""Merging two profiles: what the survivor holds, what comes along, and what is refused."""

import pytest

from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from customers.choices import CustomerStatus, IdentityAliasType
from customers.models import CustomerProfile, IdentityAlias, ProfileMerge
from customers.services.finding import find_customer
from customers.services.merge_fields import MergeError
from customers.services.merge_plan import plan_merge
from customers.services.merging import merge_profiles
from customers.services.profiles import delete_profile
from tests.factories import make_activity, make_customer, make_note


def merge(survivor, absorbed, actor, **picks):
    merged = merge_profiles(
        survivor_id=survivor.pk, absorbed_id=absorbed.pk, picks=picks, actor=actor
    )
    return CustomerProfile.objects.get(pk=merged.survivor.pk)


def test_the_survivor_keeps_its_values_and_fills_its_blanks(tenant, actor):
    survivor = make_customer(email="ann@example.com", city=None, gender="F", tags=["vip"])
    absorbed = make_customer(email="a.lee@example.com", city="Durban", gender="M", tags=["early"])

    merged = merge(survivor, absorbed, actor)

    absorbed.refresh_from_db()
    assert (merged.email, merged.city, merged.gender) == ("ann@example.com", "Durban", "F")
    assert merged.tags == ["vip", "early"]
    assert (absorbed.status, absorbed.merged_into_id) == (CustomerStatus.MERGED, survivor.pk)
    assert absorbed.email is None


def test_a_pick_by_hand_beats_the_rule(tenant, actor):
    survivor = make_customer(email="ann@example.com", city="Durban")
    absorbed = make_customer(email="a.lee@example.com", city="Ballito")

    merged = merge(survivor, absorbed, actor, email="absorbed", city="absorbed")

    assert (merged.email, merged.city) == ("a.lee@example.com", "Ballito")
    for address in ("ann@example.com", "a.lee@example.com"):
        assert find_customer(IdentityAliasType.EMAIL, address).pk == survivor.pk


def test_everything_that_belonged_to_the_absorbed_one_comes_along(tenant, actor):
    survivor, absorbed = make_customer(scl_member_id=1), make_customer(scl_member_id=2)
    activity, note = make_activity(customer=absorbed), make_note(absorbed)

    merged = merge(survivor, absorbed, actor)

    activity.refresh_from_db()
    note.refresh_from_db()
    assert (activity.customer_id, note.customer_id) == (survivor.pk, survivor.pk)
    assert (merged.activity_count_30d, merged.booking_count_30d) == (1, 1)
    values = set(IdentityAlias.objects.filter(customer=survivor).values_list("value", flat=True))
    assert values == {absorbed.email, "sclMemberId:2"}
    entry = CrmAuditLog.objects.get(action="MERGE")
    assert entry.metadata["moved"]["customers.Activity"] == 1


def test_a_plan_says_what_a_merge_then_does(tenant, actor):
    survivor = make_customer(first_name="Ann", city=None)
    absorbed = make_customer(first_name="Annie", city="Durban")
    make_activity(customer=absorbed)

    plan = plan_merge(
        survivor_id=survivor.pk, absorbed_id=absorbed.pk, picks={"first_name": "absorbed"}
    )
    merged = merge(survivor, absorbed, actor, first_name="absorbed")

    assert [moving.words for moving in plan.moving] == ["1 activity"]
    for choice in plan.fields:
        assert getattr(merged, choice.name) == choice.result
    assert {choice.name: choice.why for choice in plan.fields if choice.differs} == {
        "email": "kept", "last_name": "kept", "first_name": "picked", "city": "only_value",
    }  # fmt: skip


def refused(survivor_id, absorbed_id, actor, **picks):
    with pytest.raises(MergeError) as caught:
        merge_profiles(survivor_id=survivor_id, absorbed_id=absorbed_id, picks=picks, actor=actor)
    return caught.value.code, caught.value.path


def test_what_cannot_be_merged_is_refused_and_nothing_changes(tenant, other_tenant, actor):
    ann, gone, merged = make_customer(), make_customer(), make_customer()
    merge(make_customer(), merged, actor)
    delete_profile(customer_id=gone.pk, actor=actor)
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
    before = CustomerProfile.objects.order_by("pk").values_list("pk", "updated_at")
    states, merges = list(before), ProfileMerge.objects.count()

    assert refused(ann.pk, ann.pk, actor) == ("same_customer", "absorb")
    assert refused(ann.pk, gone.pk, actor) == ("deleted", "absorb")
    assert refused(ann.pk, merged.pk, actor) == ("already_merged", "absorb")
    assert refused(merged.pk, ann.pk, actor) == ("already_merged", "")
    assert refused(ann.pk, stranger.pk, actor) == ("not_found", "absorb")
    assert refused(stranger.pk, ann.pk, actor) == ("not_found", "")
    assert refused(ann.pk, gone.pk, actor, shoe="absorbed") == ("unknown_field", "picks.shoe")
    assert refused(ann.pk, gone.pk, actor, city="left") == ("invalid_choice", "picks.city")
    assert (list(before.all()), ProfileMerge.objects.count()) == (states, merges)
