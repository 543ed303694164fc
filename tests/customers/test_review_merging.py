"""Merging on the review screen: what is proposed, chosen, shown before, done and undone."""

import pytest

from customers.choices import CustomerStatus, DuplicateResolution
from customers.models import ProfileMerge
from customers.services.merging import merge_profiles
from tests.conftest import ACTOR, signed_in
from tests.factories import make_activity, make_customer, make_duplicate, make_note

PAIRS = "/oakhill/admin/customers/duplicatecandidate/"


@pytest.fixture
def pair(tenant):
    """The member whom SCL knows, and the guest who wrote another town."""
    member = make_customer(
        first_name="Zoë", last_name="Smyth", email="zoe@example.com", city="Durban",
        scl_member_id=7, tags=["vip"],
    )  # fmt: skip
    guest = make_customer(
        first_name="Zoe", last_name="Smyth", email="zoe.golf@example.com", city="Ballito",
        handicap="12.4", tags=["guest"],
    )  # fmt: skip
    make_activity(customer=guest)
    make_note(guest)
    return make_duplicate(people=(member, guest), match_score=97)


def member_of(pair):
    return pair.profile_a if pair.profile_a.scl_member_id else pair.profile_b


def guest_of(pair):
    return pair.profile_b if pair.profile_a.scl_member_id else pair.profile_a


def side_of(pair, customer):
    return "first" if pair.profile_a_id == customer.pk else "second"


def form_of(browser, pair, **said):
    """What the page's form would send, but for what ``said`` changes."""
    shown = browser.get(f"{PAIRS}{pair.pk}/change/").context
    picks = {
        f"pick-{row.pick}": next((c.side for c in row.cells if c.is_picked), "both")
        for row in shown["rows"] if row.may_choose
    }  # fmt: skip
    drawn = {"survivor": shown["survivor"], "drawn": shown["survivor"], "seen": shown["seen"]}
    return {**drawn, **picks, **said}


def row_of(context, field):
    return next(row for row in context["rows"] if row.field == field)


def test_whom_scl_knows_stays_and_what_differs_comes_first(as_ann, pair):
    shown = as_ann.get(f"{PAIRS}{pair.pk}/change/").context

    assert shown["survivor"] == side_of(pair, member_of(pair))
    assert [row.differs for row in shown["rows"]] == sorted(
        [row.differs for row in shown["rows"]], reverse=True
    )
    assert row_of(shown, "tags").keeps_both
    assert row_of(shown, "tags").result == "vip, guest"
    assert "the other is kept beside it" in row_of(shown, "email").why
    assert row_of(shown, "handicap").why == "the other has none"
    assert not row_of(shown, "handicap").may_choose
    assert {"1 activity", "1 note"} <= set(shown["moving"])


def test_a_pick_and_another_survivor_are_previewed_and_write_nothing(as_ann, pair):
    guest = side_of(pair, guest_of(pair))
    form = form_of(as_ann, pair, survivor=guest) | {"pick-city": guest, "pick-tags": guest}

    shown = as_ann.post(f"{PAIRS}{pair.pk}/preview/", form)

    assert shown.context["survivor"] == guest
    assert row_of(shown.context, "address_line1").result == "Ballito"
    assert row_of(shown.context, "tags").result == "guest"
    assert row_of(shown.context, "tags").why == "your choice"
    assert b"The result is renewed" in shown.content
    assert ProfileMerge.objects.count() == 0


def test_the_merge_does_what_the_form_says_and_the_next_pair_opens(as_ann, ann, pair):
    following = make_duplicate(match_score=60)
    guest = side_of(pair, guest_of(pair))

    answer = as_ann.post(
        f"{PAIRS}{pair.pk}/merge/", form_of(as_ann, pair) | {"pick-address_line1": guest}
    )

    assert answer.url == f"{PAIRS}{following.pk}/change/"
    member, gone = member_of(pair), guest_of(pair)
    for each in (member, gone, pair):
        each.refresh_from_db()
    assert (gone.status, gone.merged_into_id) == (CustomerStatus.MERGED, member.pk)
    assert (pair.resolution, pair.resolved_by) == (DuplicateResolution.MERGED, f"user:{ann.pk}")
    assert member.tags == ["vip", "guest"]
    last = as_ann.get(answer.url).context["last"]
    assert (last.kind, last.words) == ("merge", "Merged into Zoë Smyth.")


def test_a_radio_left_alone_is_no_choice_of_hand(as_ann, pair):
    as_ann.post(f"{PAIRS}{pair.pk}/merge/", form_of(as_ann, pair))

    assert ProfileMerge.objects.get().picks == {}


def test_a_merge_is_undone_and_its_pair_is_there_again(as_ann, pair):
    as_ann.post(f"{PAIRS}{pair.pk}/merge/", form_of(as_ann, pair))
    merge = ProfileMerge.objects.get()

    answer = as_ann.post(f"{PAIRS}undo/", {"decision": f"merge:{merge.pk}"}, follow=True)

    assert "The merge is undone." in answer.content.decode()
    assert answer.context["pair"] == pair
    assert answer.context["plan"] is not None
    gone = guest_of(pair)
    gone.refresh_from_db()
    assert (gone.status, gone.email) == (CustomerStatus.ACTIVE, "zoe.golf@example.com")
    twice = as_ann.post(f"{PAIRS}undo/", {"decision": f"merge:{merge.pk}"}, follow=True)
    assert "The merge is undone." not in twice.content.decode()


def test_what_changed_since_it_was_looked_at_is_looked_at_again(as_ann, pair):
    form = form_of(as_ann, pair)
    guest = guest_of(pair)
    guest.city = "Umhlanga"
    guest.save()

    answer = as_ann.post(f"{PAIRS}{pair.pk}/merge/", form, follow=True)

    assert "has changed since you opened this page" in answer.content.decode()
    assert ProfileMerge.objects.count() == 0


def test_a_pair_that_followed_a_merge_elsewhere_is_looked_at_again(as_ann, pair):
    form, third = form_of(as_ann, pair), make_customer(last_name="Third")
    merge_profiles(survivor_id=third.pk, absorbed_id=guest_of(pair).pk, actor=ACTOR)

    answer = as_ann.post(f"{PAIRS}{pair.pk}/merge/", form, follow=True)

    assert ProfileMerge.objects.count() == 1
    assert "has changed since you opened this page" in answer.content.decode()
    assert "Third" in answer.content.decode()


@pytest.mark.parametrize(
    "said",
    [
        {"pick-email": "neither"},
        {"pick-created_by": "first"},
        {"pick-tags": "x" * 5000},
        {"survivor": "third", "seen": ""},
    ],
)
def test_what_the_page_never_offers_is_refused(as_ann, pair, said):
    form = form_of(as_ann, pair) | said

    assert as_ann.post(f"{PAIRS}{pair.pk}/preview/", form).status_code == 200
    assert as_ann.post(f"{PAIRS}{pair.pk}/merge/", form).status_code == 302
    assert ProfileMerge.objects.count() == 0


def test_who_only_reads_and_who_is_of_another_club_merges_nobody(ben, cleo, ann, pair):
    form = form_of(signed_in(ann), pair)

    assert signed_in(ben).post(f"{PAIRS}{pair.pk}/merge/", form).status_code == 403
    assert signed_in(cleo).post(f"{PAIRS}{pair.pk}/merge/", form).status_code == 404
    assert signed_in(cleo).post(f"{PAIRS}{pair.pk}/preview/", form).status_code == 404
    assert signed_in(ann).get(f"{PAIRS}{pair.pk}/merge/").status_code == 403


def test_two_whom_somebody_chose_are_merged_without_a_pair(as_ann, as_ben, tenant):
    one, other = make_customer(last_name="Lee"), make_customer(last_name="Leigh")
    url = f"{PAIRS}compare/{one.pk}/{other.pk}/"
    shown = as_ann.get(url)
    assert "You chose these two" in shown.content.decode()

    form = {"survivor": "second", "drawn": "first", "seen": shown.context["seen"]}
    answer = as_ann.post(f"{url}merge/", form)

    assert answer.url == f"/oakhill/admin/customers/customerprofile/{other.pk}/change/"
    one.refresh_from_db()
    assert one.merged_into_id == other.pk
    assert as_ben.get(url).status_code == 403


def test_comparing_finds_the_pair_that_waits_and_refuses_one_and_the_same(as_ann, pair):
    one, other = pair.profile_b_id, pair.profile_a_id

    assert as_ann.get(f"{PAIRS}compare/{one}/{other}/").url == f"{PAIRS}{pair.pk}/change/"
    same = as_ann.get(f"{PAIRS}compare/{one}/{one}/", follow=True)
    assert "Choose two different customers." in same.content.decode()
