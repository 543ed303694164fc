"""Which profile an event finds, and what becomes of the identifiers it brings."""

import pytest

from crm_site.tenancy.context import tenant_scope
from customers.choices import IdentityAliasType
from customers.models import CustomerProfile, DuplicateCandidate, IdentityAlias
from customers.normalize import first_names_contradict, normalize_phone
from customers.services.profiles import delete_profile
from tests.customers.conftest import event
from tests.factories import make_customer


@pytest.fixture
def met(process):
    """Process one event about a person; returns the profile it found or made."""

    def run(source="teetime", kind="booking.created", time=None, **customer):
        [row] = process(event(source, kind, time, customer=customer))
        assert row.status == "SUCCESS", row.error
        return CustomerProfile.objects.get(pk=row.customer_id)

    return run


def link(customer_id, kind, value):
    return IdentityAlias.objects.create(customer_id=customer_id, type=kind, value=value)


STRENGTH = [
    ("scl", "auth_user_id", "scl_member_id"),
    ("scl", "scl_member_id", "email"),
    ("teetime", "teetime_player_id", "email"),
    ("messaging", "messaging_contact_id", "email"),
    ("teetime", "email", "phone_number"),
    ("teetime", "phone_number", "scl_member_id"),
]
VALUES = {
    "auth_user_id": ("authUserId", "u-1"),
    "scl_member_id": ("sclMemberId", 1042),
    "teetime_player_id": ("teetimePlayerId", "p-1"),
    "messaging_contact_id": ("messagingContactId", "c-1"),
    "email": ("email", "ann@example.org"),
    "phone_number": ("phoneNumber", "+27825550101"),
}
KINDS = {
    "scl": "member.updated",
    "teetime": "player.updated",
    "messaging": "contact.linked",
}


@pytest.mark.parametrize(("source", "stronger", "weaker"), STRENGTH)
def test_the_stronger_identifier_wins_and_the_pair_is_queued(tenant, met, source, stronger, weaker):
    weak = make_customer(**{"email": None, weaker: VALUES[weaker][1]})
    strong = make_customer(**{"email": None, stronger: VALUES[stronger][1]})
    told = dict(VALUES[name] for name in ("messaging_contact_id", stronger, weaker))

    found = met(source, KINDS[source], **told)

    assert found == strong
    weak.refresh_from_db()
    assert getattr(weak, weaker) == VALUES[weaker][1]
    pair = DuplicateCandidate.objects.get()
    assert (pair.profile_a_id, pair.profile_b_id) == tuple(sorted((weak.pk, strong.pk)))
    assert list(pair.match_fields) == [VALUES[weaker][0]]


def test_addresses_are_compared_in_one_spelling(tenant, met):
    ann = make_customer(email="ann@example.org", phone_number="+27825550101")

    assert met(email="  Ann@Example.ORG ") == ann
    assert met(phoneNumber="082 555 0101") == ann
    assert met(phoneNumber="0027 82 555 0101") == ann


def test_an_alias_leads_to_its_profile(tenant, met):
    ann = make_customer(email="ann@example.org")
    link(ann.pk, IdentityAliasType.EMAIL, "ann@work.example")
    link(ann.pk, IdentityAliasType.EXTERNAL_ID, "sclMemberId:77")

    assert met(email="ann@work.example") == ann
    assert met("scl", "member.updated", sclMemberId=77) == ann


def test_a_merged_profile_leads_to_its_survivor_however_far(tenant, met):
    survivor = make_customer()
    middle = make_customer(merged_into=survivor, merged_at="2024-01-01T00:00:00Z")
    absorbed = make_customer(merged_into=middle, merged_at="2024-01-01T00:00:00Z")
    link(absorbed.pk, IdentityAliasType.EMAIL, "old@example.org")

    assert met(email="old@example.org") == survivor


def test_another_address_is_kept_beside_the_first(tenant, met):
    ann = met("scl", "member.created", sclMemberId=1042, email="ann@example.org")

    again = met("scl", "member.updated", sclMemberId=1042, email="ann@work.example")

    assert (again, again.email) == (ann, "ann@example.org")
    alias = IdentityAlias.objects.get()
    assert (alias.value, alias.type, alias.source) == ("ann@work.example", "EMAIL", "scl")


def test_an_identifier_is_never_taken_from_another_live_profile(tenant, met):
    ann = make_customer(first_name="Ann", email="family@example.org")
    ben = make_customer(first_name="Ben", email=None, scl_member_id=2)

    found = met("scl", "member.updated", sclMemberId=2, firstName="Ben", email="family@example.org")

    assert (found, found.email) == (ben, None)
    ann.refresh_from_db()
    assert ann.email == "family@example.org"


def test_a_family_sharing_an_address_stays_two_people(tenant, met):
    ann = make_customer(first_name="Ann", email="family@example.org", phone_number="+27825550101")

    child = met(firstName="Themba", email="family@example.org", phoneNumber="0825550101")

    assert child != ann
    assert (child.email, child.phone_number, child.first_name) == (None, None, "Themba")
    pair = DuplicateCandidate.objects.get()
    assert pair.match_fields["firstName"] == {"agreement": "contradicts"}
    assert (pair.match_type, pair.match_score) == ("email", 40)


def test_who_uses_a_relatives_address_again_is_the_same_relative(tenant, met, process):
    make_customer(first_name="Ann", email="family@example.org")
    child = met(firstName="Themba", lastName="Lee", email="family@example.org")

    assert met(firstName="Themba", lastName="Lee", email="family@example.org") == child
    twins = [
        {"firstName": "Zola", "lastName": "Lee", "email": "family@example.org"},
        {"firstName": "Zola", "email": "family@example.org"},
        {"firstName": "Themba", "lastName": "Nkosi", "email": "family@example.org"},
        {"firstName": "Themba", "email": "family@example.org", "teetimePlayerId": "tee-9"},
    ]
    rows = process(*[event("teetime", "booking.created", customer=said) for said in twins])

    found = [row.customer_id for row in rows]
    assert found[0] == found[1]
    # Another family name, or an id nobody knows: somebody else.
    assert len({child.pk, *found}) == 4
    assert DuplicateCandidate.objects.count() == 4


def test_a_nickname_initial_or_typo_is_no_contradiction(tenant, met):
    ann = make_customer(first_name="Elizabeth", email="liz@example.org")

    assert met(firstName="Liz", email="liz@example.org") == ann
    assert met(firstName="E.", email="liz@example.org") == ann
    assert met(firstName="Elisabeth", email="liz@example.org") == ann
    assert met(email="liz@example.org") == ann


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("Ann", "Ben", True),
        ("Ann", "anne", False),
        ("William", "Bill", False),
        ("J", "Johan", False),
        ("Dr. Jan Hendrik", "Hendrik", False),
        ("Zoë", "Zoe", False),
        ("Micheal", "Michael", False),
        ("Mary", "Mark", False),  # One letter: it may be a typo, so staff are not troubled.
        ("Tim", "Tom", True),
        ("Ann", None, False),
        ("", "Ben", False),
        ("Thabo", "Themba", True),
        ("Jean-Pierre", "Pierre", False),
    ],
)
def test_first_names_contradict_only_where_no_reading_agrees(one, other, contradict):
    assert first_names_contradict(one, other) is contradict
    assert first_names_contradict(other, one) is contradict


def test_a_phone_is_read_by_the_tenants_country():
    assert normalize_phone("082 555 0101", "ZA") == "+27825550101"
    assert normalize_phone("07700 900123", "GB") == "+447700900123"


def test_a_deleted_profile_answers_to_nobody(tenant, met, actor):
    gone = make_customer(email="ann@example.org")
    link(gone.pk, IdentityAliasType.EMAIL, "ann@work.example")
    delete_profile(customer_id=gone.pk, actor=actor)

    back = met("scl", "member.created", sclMemberId=1, email="ann@example.org")
    met("scl", "member.updated", sclMemberId=1, email="ann@work.example")

    assert back != gone
    assert IdentityAlias.objects.get().customer == back


def test_another_tenants_profile_is_never_found(tenant, other_tenant, met):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer(email="ann@example.org")

    assert met(email="ann@example.org") != stranger


def test_a_link_of_another_service_is_asked_last(tenant, met):
    member = make_customer(email=None, scl_member_id=1042)

    assert met(teetimePlayerId="p-1", sclMemberId=1042) == member
    member.refresh_from_db()
    assert member.teetime_player_id == "p-1"


def test_one_new_person_in_one_batch_is_one_profile(tenant, process):
    process(
        event(customer={"email": "ann@example.org"}),
        event(customer={"phoneNumber": "0825550101", "email": "ann@example.org"}),
        event("scl", "member.created", customer={"sclMemberId": 9, "phoneNumber": "0825550101"}),
    )

    ann = CustomerProfile.objects.get()
    assert (ann.scl_member_id, ann.phone_number, ann.booking_count_30d) == (9, "+27825550101", 2)
