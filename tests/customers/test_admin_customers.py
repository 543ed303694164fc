"""The customer list and page, as Ann, Ben and Cleo meet them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_site.tenancy.context import local_settings, tenant_scope
from customers.models import (
    Activity,
    CustomerNote,
    CustomerProfile,
    DuplicateCandidate,
    IdentityAlias,
)
from tests.factories import make_activity, make_customer, make_note

LIST = "/oakhill/admin/customers/customerprofile/"
# Savepoints and what every page of the admin asks (session, user, role, club) included.
LIST_QUERIES = 24
PAGE_QUERIES = 38


@pytest.fixture
def zoe(tenant):
    with local_settings(consent_writer="messaging"):
        return make_customer(
            first_name="Zoë",
            last_name="Smyth",
            phone_number="+27825550101",
            email_opt_in=True,
            email_consent_changed_at=timezone.now(),
            tags=["vip"],
        )


@pytest.fixture
def stranger(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        return make_customer(first_name="Zoë", last_name="Stranger")


def page_of(customer, more=""):
    return f"{LIST}{customer.pk}/change/{more}"


def names(response):
    return [str(row) for row in response.context["cl"].result_list]


def test_the_list_finds_by_search_best_first(as_ann, zoe, stranger):
    make_customer(first_name="Thabo", last_name="Nkosi")
    smith = make_customer(first_name="Zoë", last_name="Smith")

    assert names(as_ann.get(LIST, {"q": "zoe smyth"})) == ["Zoë Smyth", smith.name]
    assert names(as_ann.get(LIST, {"q": "082 555 0101"})) == ["Zoë Smyth"]
    assert names(as_ann.get(LIST, {"q": "'%*"})) == []


def test_who_was_seen_last_comes_first_and_who_never_was_last(as_ann, zoe):
    make_customer(first_name="Old", last_name="", last_activity_at=timezone.now())

    assert names(as_ann.get(LIST)) == ["Old", "Zoë Smyth"]


def test_deleted_customers_show_only_where_asked_for(as_ann, zoe):
    make_customer(first_name="Gone", last_name="", deleted_at=timezone.now())

    assert names(as_ann.get(LIST)) == ["Zoë Smyth"]
    assert names(as_ann.get(LIST, {"show": "DELETED"})) == ["Gone"]
    assert names(as_ann.get(LIST, {"show": "DELETED", "q": "gone"})) == ["Gone"]
    assert names(as_ann.get(LIST, {"q": "gone"})) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"tier": "Gold"}, ["Gold"]),
        ({"tag": "early bird"}, ["Gold"]),
        ({"lifecycle_stage__exact": "MEMBER"}, ["Gold"]),
        ({"engagement_score_from": "50"}, ["Gold"]),
        ({"seen": "30"}, ["Gold"]),
        ({"seen": "never"}, ["Zoë Smyth"]),
        ({"known": "7"}, ["Zoë Smyth"]),
        ({"consent": "EMAIL"}, ["Zoë Smyth"]),
        ({"consent": "none"}, ["Gold"]),
        ({"tier": "'; --", "tag": "%"}, []),
    ],
)
def test_filters_narrow_the_list(asked, found, as_ann, zoe):
    make_customer(
        first_name="Gold",
        last_name="",
        membership_tier="Gold",
        tags=["early bird"],
        lifecycle_stage="MEMBER",
        engagement_score=80,
        last_activity_at=timezone.now() - timedelta(days=3),
        created_at=timezone.now() - timedelta(days=8),
    )

    assert names(as_ann.get(LIST, asked)) == found


def test_the_list_costs_the_same_however_many_it_shows(as_ann, tenant):
    for _ in range(30):
        make_customer(tags=["a", "b"], membership_tier="Gold")
    as_ann.get(LIST)

    with CaptureQueriesContext(connection) as queries:
        as_ann.get(LIST, {"q": "ann"})

    assert len(queries) <= LIST_QUERIES


def test_the_page_costs_the_same_however_long_the_history(as_ann, zoe):
    for hours in range(50):
        make_activity(customer=zoe, occurred_at=timezone.now() - timedelta(hours=hours))
        make_note(zoe, content=str(hours))
    IdentityAlias.objects.create(customer=zoe, type="EMAIL", value="old@example.com")
    as_ann.get(page_of(zoe))

    with CaptureQueriesContext(connection) as queries:
        page = as_ann.get(page_of(zoe)).content.decode()

    assert len(queries) <= PAGE_QUERIES
    assert page.count('class="crm-entry"') == 30
    assert "old@example.com" in page


def test_another_clubs_customer_is_nowhere(as_ann, as_cleo, zoe, stranger):
    assert as_ann.get(page_of(stranger)).status_code in (302, 404)
    assert "Stranger" not in as_ann.get(page_of(stranger), follow=True).content.decode()
    for view in ("timeline/", "notes/"):
        assert as_ann.get(f"{LIST}{stranger.pk}/{view}").status_code == 404
    assert as_cleo.get(LIST).status_code == 404


def test_private_notes_show_to_their_author_alone(as_ann, as_ben, ann, ben, zoe):
    note = make_note(
        zoe, content="Going through a divorce.", is_private=True, created_by=f"user:{ann.pk}"
    )

    for address in (page_of(zoe), f"{LIST}{zoe.pk}/timeline/", f"{LIST}{zoe.pk}/notes/"):
        assert "divorce" in as_ann.get(address).content.decode()
        assert "divorce" not in as_ben.get(address).content.decode()
    notes = "/oakhill/admin/customers/customernote/"
    assert "divorce" not in as_ben.get(notes).content.decode()
    assert "divorce" not in as_ben.get(f"{notes}{note.pk}/change/", follow=True).content.decode()


def test_a_note_is_added_changed_pinned_and_removed_on_the_page(as_ann, zoe):
    notes = f"{LIST}{zoe.pk}/notes/"
    as_ann.post(notes, {"content": "Likes the 7th tee.", "type": "GENERAL"})
    note = CustomerNote.objects.get()

    as_ann.post(f"{notes}{note.pk}/", {"do": "pin"})
    as_ann.post(f"{notes}{note.pk}/", {"do": "save", "content": "Loves it.", "type": "FEEDBACK"})

    note.refresh_from_db()
    assert (note.content, note.type) == ("Loves it.", "FEEDBACK")
    as_ann.post(f"{notes}{note.pk}/", {"do": "remove"})
    assert not CustomerNote.objects.exists()


def test_an_empty_note_is_refused_beside_its_field(as_ann, zoe):
    answer = as_ann.post(f"{LIST}{zoe.pk}/notes/", {"content": "  ", "type": "GENERAL"})

    assert "This field is required" in answer.content.decode()
    assert not CustomerNote.objects.exists()


def test_who_only_reads_can_write_nothing(as_ben, zoe):
    note = make_note(zoe)

    assert as_ben.get(page_of(zoe)).status_code == 200
    assert as_ben.post(f"{LIST}{zoe.pk}/notes/", {"content": "x"}).status_code == 403
    assert as_ben.post(f"{LIST}{zoe.pk}/notes/{note.pk}/", {"do": "remove"}).status_code == 403
    assert as_ben.post(page_of(zoe, "?details"), {"first_name": "X"}).status_code == 403
    assert as_ben.get(f"{LIST}add/").status_code == 403
    assert as_ben.post(f"{LIST}{zoe.pk}/hide/", {"_form_submitted": "True"}).status_code in (
        403,
        404,
    )
    zoe.refresh_from_db()
    assert zoe.deleted_at is None


def details(**values):
    blank = dict.fromkeys(
        (
            *("first_name", "last_name", "display_name", "date_of_birth", "gender", "tags"),
            *("email", "phone_number", "address_line1", "address_line2", "city", "state"),
            *("postal_code", "country", "time_zone"),
        ),
        "",
    )
    return blank | {"lifecycle_stage": "LEAD"} | values


def test_details_are_saved_through_the_service(as_ann, zoe):
    answer = as_ann.post(
        page_of(zoe, "?details"),
        details(
            first_name="Zoë", last_name="Jones", email="ZOE@Example.com ",
            phone_number="0835550102",
            tags="vip, mentor",
        ),
    )  # fmt: skip

    assert answer.status_code == 302
    zoe.refresh_from_db()
    assert (zoe.last_name, zoe.email, zoe.phone_number) == (
        "Jones",
        "zoe@example.com",
        "+27835550102",
    )
    assert (zoe.tags, zoe.email_opt_in) == (["vip", "mentor"], True)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"phone_number": "12"}, "phone"), ({"email": "taken@example.com"}, "has this")],
)
def test_what_cannot_be_is_said_in_the_form(values, said, as_ann, zoe):
    make_customer(email="taken@example.com")

    answer = as_ann.post(page_of(zoe, "?details"), details(first_name="New", **values))

    assert answer.status_code == 200
    assert said in answer.content.decode()
    zoe.refresh_from_db()
    assert zoe.first_name == "Zoë"


def test_what_scl_keeps_is_read_only_for_a_member(as_ann, tenant):
    member = make_customer(scl_member_id=7, first_name="Kept")

    page = as_ann.get(page_of(member, "?details")).content.decode()
    as_ann.post(page_of(member, "?details"), details(first_name="Changed", display_name="K"))

    assert 'name="first_name"' not in page
    member.refresh_from_db()
    assert (member.first_name, member.display_name) == ("Kept", "K")


def test_a_customer_is_added_by_hand(as_ann, tenant):
    answer = as_ann.post(
        f"{LIST}add/", {"first_name": "Lerato", "last_name": "Dlamini", "lifecycle_stage": "LEAD"}
    )

    made = CustomerProfile.objects.get()
    assert made.name == "Lerato Dlamini"
    assert answer.url == page_of(made)


def test_deleting_hides_and_restoring_brings_back(as_ann, zoe):
    as_ann.post(f"{LIST}{zoe.pk}/hide/", {"_form_submitted": "True"})
    zoe.refresh_from_db()
    assert zoe.deleted_at is not None
    assert "Restore" in as_ann.get(page_of(zoe)).content.decode()

    as_ann.post(f"{LIST}{zoe.pk}/restore/", {"_form_submitted": "True"})

    zoe.refresh_from_db()
    assert zoe.deleted_at is None


def test_warnings_say_what_to_know_first(as_ann, zoe):
    zoe.membership_expiry = timezone.localdate() + timedelta(days=12)
    zoe.save()
    make_activity(customer=zoe, type="MESSAGE_BOUNCED", category="COMMUNICATION", channel="EMAIL")

    page = as_ann.get(page_of(zoe)).content.decode()

    assert "Membership expires in 12 days" in page
    assert "came back" in page


def test_the_timeline_pages_and_narrows_by_address(as_ann, zoe):
    make_activity(customer=zoe, title="Paid <b>R1</b>", category="FINANCIAL")
    timeline = f"{LIST}{zoe.pk}/timeline/"

    assert "Paid &lt;b&gt;R1" in as_ann.get(timeline, {"category": "FINANCIAL"}).content.decode()
    assert "Paid" not in as_ann.get(timeline, {"category": "GOLF"}).content.decode()
    assert as_ann.get(timeline, {"before": "x", "category": "y"}).status_code == 200
    assert Activity.objects.count() == 1


def test_every_field_says_whose_it_is_and_what_is_wrong_is_noted_for_its_owner(as_ann, tenant):
    said = {"scl": {"city": 1_763_793_000_000_000}}
    member = make_customer(scl_member_id=7, city="Durbn", source_times=said)

    page = as_ann.get(page_of(member, "?details")).content.decode()
    wish = {"_form_submitted": "True", "field": "city", "right": "Durban"}
    as_ann.post(f"{LIST}{member.pk}/request_correction/", wish)
    refused = as_ann.post(f"{LIST}{member.pk}/request_correction/", {**wish, "field": "tags"})

    assert 'is-elsewhere">SCL</span> synced' in page
    assert '"crm-owner">Ours</span>' in page
    note = CustomerNote.objects.get()
    assert note.content == "Ask SCL to correct City: “Durbn” should be “Durban”."
    assert note.follow_up_on == timezone.localdate() + timedelta(days=7)
    assert "Select a valid choice" in refused.content.decode()


def test_identifiers_say_who_told_us_and_what_proves_them(as_ann, tenant):
    told = 1_763_793_000_000_000
    make_customer(
        scl_member_id=7,
        email="zoe@example.com",
        last_email_open_at=timezone.now(),
        source_times={"scl": {"scl_member_id": told, "email": told}},
    )

    page = as_ann.get(page_of(CustomerProfile.objects.get())).content.decode()

    assert "Member number, from SCL, verified by SCL" in page
    assert "E-mail, from SCL, verified: they opened a message on" in page


def test_two_customers_are_brought_side_by_side_by_hand(as_ann, as_ben, zoe, stranger):
    other = make_customer(first_name="Zoe", last_name="Smith", email="z@example.com")
    merge = f"{LIST}{zoe.pk}/merge_with/"

    def ask(client, who):
        return client.post(merge, {"_form_submitted": "True", "other": who})

    assert "No other customer answers" in ask(as_ann, "Stranger").content.decode()
    page = ask(as_ann, "z@example.com").headers["HX-Redirect"]

    assert f"/compare/{zoe.pk}/{other.pk}/" in page
    assert as_ann.get(page).status_code == 200
    assert not DuplicateCandidate.objects.exists()
    assert ask(as_ben, "z@example.com").status_code == 403
