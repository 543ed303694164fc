"""Undoing a merge: both as they were, in every table; what happened since stays, and is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Delivery
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile, IdentityAlias, ProfileMerge, ProfileMergeStep
from customers.services.activities import create_activity
from customers.services.belongings import belongings
from customers.services.merge_fields import MergeError
from customers.services.merging import merge_profiles
from customers.services.profiles import delete_profile, update_profile
from customers.services.retention import drop_old_merges
from customers.services.unmerging import unmerge_profiles
from tests.customers.conftest import event
from tests.customers.pairs import RECORDS, dump, make_pair, pointers, reload, rows_of, unmerge
from tests.factories import make_customer


def merge(survivor, absorbed, actor, **picks):
    return merge_profiles(
        survivor_id=survivor.pk, absorbed_id=absorbed.pk, picks=picks, actor=actor
    ).merge


def test_every_table_that_names_a_customer_follows_a_merge_and_its_undoing(tenant, actor):
    known = {(each.table, each.column): each for each in belongings()}
    pair = make_pair()
    before = {pointer: rows_of(*pointer, pair.absorbed) for pointer in pointers()}

    done = pair.merge()

    assert set(before) == set(known), "register what belongs to customers (services/belongings.py)"
    assert [pointer for pointer, ids in before.items() if not ids] == [], "give the pair such rows"
    # Of a message that both have, each keeps one as proof.
    of_both = Delivery.objects.filter(run__deliveries__customer=pair.survivor)
    kept = {str(pk) for pk in of_both.values_list("pk", flat=True)}
    for pointer, each in known.items():
        if not each.stays:
            assert rows_of(*pointer, pair.absorbed) <= kept, pointer

    unmerge(done)

    for pointer, ids in before.items():
        if pointer[0] not in RECORDS:
            assert rows_of(*pointer, pair.absorbed) == ids, pointer


@pytest.mark.parametrize(
    "picks", [{}, {"email": "absorbed", "first_name": "absorbed", "tags": "absorbed"}]
)
def test_undoing_leaves_every_row_of_every_table_as_it_was(tenant, actor, picks):
    pair = make_pair()
    before = dump()

    done = pair.merge(**picks)
    assert dump() != before
    report = unmerge(done)

    after = dump()
    for table, rows in before.items():
        assert after[table] == rows, table
    assert report.sentences == []
    actions = CrmAuditLog.objects.filter(action__in=["MERGE", "UNMERGE"])
    told = actions.filter(entity_id=str(pair.survivor.pk)).order_by("pk")
    assert list(told.values_list("action", flat=True)) == ["MERGE", "UNMERGE"]


def test_what_happened_since_stays_with_the_survivor_and_is_told(tenant, actor):
    survivor = make_customer(first_name="Ann", last_name="Lee", city="Durban", tags=["vip"])
    absorbed = make_customer(first_name="Annie", last_name="Lee", tags=["early"])
    done = merge(survivor, absorbed, actor, first_name="absorbed")
    for _ in range(2):
        create_activity(
            customer_id=survivor.pk, actor=actor, type="TEETIME_BOOKED", category="BOOKING",
            title="Booked a tee time",
        )  # fmt: skip
    changes = {"city": "Ballito", "tags": ["vip", "early", "senior"]}
    update_profile(customer_id=survivor.pk, values=changes, actor=actor)

    report = unmerge(done)

    ours, theirs = reload(survivor), reload(absorbed)
    assert (ours.first_name, ours.city, ours.tags) == ("Ann", "Ballito", ["vip", "senior"])
    assert (ours.booking_count_30d, theirs.booking_count_30d) == (2, 0)
    assert (theirs.tags, theirs.is_live) == (["early"], True)
    assert report.sentences == [
        "2 bookings since the merge stay with Ann Lee.",
        "Changed since the merge and kept on Ann Lee: city, tags, stage.",
    ]


def test_identifiers_go_back_to_whom_they_were_of(tenant, actor, process):
    survivor = make_customer(email="ann@example.com", first_name="Ann")
    absorbed = make_customer(email="a.lee@example.com", first_name="Ann", teetime_player_id="P-7")
    done = merge(survivor, absorbed, actor, email="absorbed")
    update_profile(customer_id=survivor.pk, values={"email": "new@example.com"}, actor=actor)

    unmerge(done)

    assert (reload(survivor).email, reload(absorbed).email) == (
        "new@example.com", "a.lee@example.com",
    )  # fmt: skip
    aliases = IdentityAlias.objects.values_list("customer", "value")
    assert set(aliases) == {(survivor.pk, "ann@example.com")}
    [row] = process(event(customer={"teetimePlayerId": "P-7"}))
    assert row.customer_id == absorbed.pk


def test_an_identifier_the_survivor_took_since_stays_there(tenant, actor):
    survivor = make_customer(email="ann@example.com")
    absorbed = make_customer(email="a.lee@example.com")
    done = merge(survivor, absorbed, actor)
    update_profile(customer_id=survivor.pk, values={"email": "a.lee@example.com"}, actor=actor)

    report = unmerge(done)

    assert (reload(survivor).email, reload(absorbed).email) == ("a.lee@example.com", None)
    assert report.not_returned == ["email"]


def test_events_land_on_the_survivor_through_a_chain_and_back(tenant, actor, process):
    first, second, third = (make_customer(teetime_player_id=f"P-{n}") for n in (1, 2, 3))
    inner = merge(second, first, actor)
    outer = merge(third, second, actor)

    def lands_on(player):
        [row] = process(event(customer={"teetimePlayerId": player}))
        return row.customer_id

    assert {lands_on(f"P-{n}") for n in (1, 2, 3)} == {third.pk}
    unmerge(outer)
    assert (lands_on("P-1"), lands_on("P-2"), lands_on("P-3")) == (second.pk, second.pk, third.pk)
    unmerge(inner)
    assert (lands_on("P-1"), lands_on("P-2")) == (first.pk, second.pk)


def refused(done, actor):
    with pytest.raises(MergeError) as caught:
        unmerge_profiles(merge_id=done.pk, actor=actor)
    return caught.value.code


def test_a_merge_that_another_stands_upon_is_undone_after_it(tenant, actor):
    first, second, third = make_customer(), make_customer(), make_customer()
    inner = merge(second, first, actor)
    outer = merge(third, second, actor)
    before = dump()

    assert refused(inner, actor) == "merged_since"

    assert dump() == before
    unmerge(outer)
    unmerge(inner)
    assert all(reload(each).is_live for each in (first, second, third))


def test_what_cannot_be_undone_is_refused(tenant, other_tenant, actor):
    survivor, absorbed = make_customer(), make_customer()
    undone = merge(survivor, absorbed, actor)
    unmerge(undone)
    old = merge(survivor, absorbed, actor)
    ProfileMerge.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(days=1))
    other = merge(make_customer(), make_customer(), actor)
    delete_profile(customer_id=other.survivor_id, actor=actor)

    assert refused(undone, actor) == "already_undone"
    assert refused(old, actor) == "too_late"
    assert refused(other, actor) == "deleted"
    with tenant_scope(other_tenant.pk):
        assert refused(old, actor) == "not_found"
        assert not CustomerProfile.objects.exists()
        assert not ProfileMergeStep.objects.exists()


def test_past_its_time_a_merge_keeps_nothing_personal_and_stands(tenant, actor):
    done = merge(make_customer(), make_customer(), actor)

    assert drop_old_merges(now=timezone.now()) == 0
    assert drop_old_merges(now=timezone.now() + timedelta(days=91)) == 1

    done.refresh_from_db()
    assert (done.survivor_before, done.absorbed_before, done.survivor_after) == (None,) * 3
    assert not done.steps.exists()
    assert refused(done, actor) == "too_late"


def test_staff_undo_a_merge_on_the_page_of_who_is_left(tenant, actor, as_ann, as_ben):
    survivor = make_customer(first_name="Ann", last_name="Lee")
    absorbed = make_customer(first_name="Annie", last_name="Lee")
    merge(survivor, absorbed, actor)
    address = f"/{tenant.pk}/admin/customers/customerprofile/{survivor.pk}/"

    shown = as_ann.get(f"{address}change/").content.decode()
    seen_by_ben = as_ben.get(f"{address}change/").content.decode()
    as_ben.post(f"{address}undo_merge/", {"_form_submitted": "True"})
    is_still_merged = not reload(absorbed).is_live
    as_ann.post(f"{address}undo_merge/", {"_form_submitted": "True"})

    assert "Annie Lee was merged into this customer" in shown
    assert "Undo merge" not in seen_by_ben
    assert is_still_merged
    assert reload(absorbed).is_live
    assert "Undo merge" not in as_ann.get(f"{address}change/").content.decode()
