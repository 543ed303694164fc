"""Who lives with whom, and who hangs together as possible duplicates."""

from crm_site.tenancy.context import tenant_scope
from customers.models import DuplicateCandidate
from customers.services.households import group_of, household_of
from tests.factories import make_customer

HOME = {"address_line1": "12 Oak Road", "city": "Ballito", "postal_code": "4420"}


def make_pair(one, other, **values):
    first, second = sorted((one.pk, other.pk))
    defaults = {"match_type": "address", "match_score": 80, "match_fields": {}}
    return DuplicateCandidate.objects.create(
        profile_a_id=first, profile_b_id=second, **(defaults | values)
    )


def shared(profile):
    return [(each.profile, each.shares) for each in household_of(profile)]


def test_a_household_shares_an_address_in_one_town_of_one_tenant(tenant, other_tenant):
    ann = make_customer(**HOME)
    ben = make_customer(**(HOME | {"first_name": "Ben", "address_line1": "12 OAK ROAD"}))
    make_customer(**(HOME | {"city": "Durban", "postal_code": "4001"}))
    with tenant_scope(other_tenant.pk):
        make_customer(**HOME)

    assert shared(ann) == [(ben, ("address",))]


def test_a_shared_mailbox_makes_a_household_and_a_possible_duplicate_does_not(tenant):
    ann, child, twice = make_customer(**HOME), make_customer(), make_customer(**HOME)
    make_pair(ann, child, kind="HOUSEHOLD", claimed=["email"], match_score=40)
    make_pair(ann, twice)

    assert shared(ann) == [(child, ("email",))]


def test_a_clubhouse_is_nobodys_home(tenant):
    people = [make_customer(**HOME) for _ in range(22)]

    assert household_of(people[0]) == []


def test_somebody_without_an_address_lives_with_nobody(tenant):
    assert household_of(make_customer()) == []


def test_a_group_is_shown_whole_and_says_who_is_told_apart(tenant, other_tenant):
    one, two, three = make_customer(), make_customer(), make_customer()
    pair, next_pair = make_pair(one, two), make_pair(two, three, match_score=60)
    apart = make_pair(one, three, kind="HOUSEHOLD", match_score=40)
    with tenant_scope(other_tenant.pk):
        make_pair(make_customer(), make_customer())

    group = group_of(pair)

    assert group.profile_ids == sorted([one.pk, two.pk, three.pk])
    assert (group.pairs, group.apart) == ([pair, next_pair], [apart])
    assert group.is_more_than_a_pair
    assert group.is_contradictory


def test_a_plain_pair_is_a_group_of_two(tenant):
    pair = make_pair(make_customer(), make_customer())

    assert not group_of(pair).is_more_than_a_pair


def test_the_customer_page_shows_who_lives_there_in_two_queries(
    as_ann, tenant, django_assert_num_queries
):
    ann = make_customer(**HOME)
    make_customer(**(HOME | {"first_name": "Ben", "last_name": "Nkosi"}))

    with django_assert_num_queries(2):
        household_of(ann)
    page = as_ann.get(f"/oakhill/admin/customers/customerprofile/{ann.pk}/change/").content.decode()

    assert "Same household" in page
    assert "Ben Nkosi" in page
    assert "same address" in page
