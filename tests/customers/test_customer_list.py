"""The customer list as each likes it: columns, views, filters, and one thing done to many."""

import pytest

from crm_site.backoffice.models import ListColumns, SavedView
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from segments.models import CustomerSegment, CustomerSegmentMembership
from tests.factories import make_customer

LIST = "/oakhill/admin/customers/customerprofile/"
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def club(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        make_customer(membership_tier="Gold", tags=["theirs"])
    make_customer(first_name="Gold", last_name="One", membership_tier="Gold")
    make_customer(first_name="Gold", last_name="Two", membership_tier="Gold", tags=["vip"])
    make_customer(first_name="Plain", last_name="Three")


def at(query=""):
    """The address of the list as the browser tells it."""
    return {"HTTP_HX_CURRENT_URL": f"http://testserver{LIST}{query}"}


def columns(response):
    return list(response.context["cl"].list_display)


def names(response):
    return sorted(str(row) for row in response.context["cl"].result_list)


def tag(client, query="", ticked=(), **values):
    ids = "&".join(f"_selected_action={pk}" for pk in ticked)
    return client.post(f"{LIST}tag_many/?{ids}", {**SUBMITTED, **values}, **at(query))


def test_columns_are_chosen_and_kept_for_oneself(as_ann, as_ben, club):
    as_ann.post(f"{LIST}choose_columns/", {**SUBMITTED, "columns": ["city", "at_risk"]}, **at())

    assert columns(as_ann.get(LIST)) == ["box", "person", "city", "at_risk"]
    assert "handicap" in columns(as_ben.get(LIST))
    assert ListColumns.objects.count() == 1


def test_a_column_nobody_offers_is_refused(as_ann, club):
    answer = as_ann.post(
        f"{LIST}choose_columns/", {**SUBMITTED, "columns": ["search_vector"]}, **at()
    )

    assert "Select a valid choice" in answer.content.decode()
    assert not ListColumns.objects.exists()


def test_a_view_brings_back_filters_and_columns(as_ann, as_ben, as_cleo, club):
    as_ann.post(f"{LIST}choose_columns/", {**SUBMITTED, "columns": ["city"]}, **at())
    saved = as_ann.post(
        f"{LIST}save_view/", {**SUBMITTED, "name": "Gold", "is_shared": "on"},
        **at("?tier=Gold&p=3"),
    )  # fmt: skip
    as_ann.post(f"{LIST}save_view/", {**SUBMITTED, "name": "My own"}, **at("?q=plain"))

    theirs = as_ben.get(saved.headers["HX-Redirect"])

    assert names(theirs) == ["Gold One", "Gold Two"]
    assert columns(theirs) == ["box", "person", "city"]
    assert "My own" not in theirs.content.decode()
    assert "Remove “Gold”" not in theirs.content.decode()
    assert SavedView.objects.get(name="Gold").query == "tier=Gold"
    elsewhere = as_cleo.get("/pinecrest/admin/customers/customerprofile/")
    assert "Gold</a>" not in elsewhere.content.decode()


def test_a_view_saved_again_is_replaced_and_removed_by_its_owner_alone(as_ann, as_ben, club):
    for query in ("?tier=Gold", "?tier=Silver"):
        as_ann.post(f"{LIST}save_view/", {**SUBMITTED, "name": "Tiers"}, **at(query))
    view = SavedView.objects.get()

    assert view.query == "tier=Silver"
    assert as_ben.post(f"{LIST}views/{view.pk}/forget/").status_code == 404
    assert as_ann.get(f"{LIST}views/{view.pk}/forget/").status_code == 403
    assert as_ann.post(f"{LIST}views/{view.pk}/forget/").status_code == 302
    assert not SavedView.objects.exists()


def test_who_only_reads_keeps_views_but_shares_none(as_ben, club):
    answer = as_ben.post(
        f"{LIST}save_view/", {**SUBMITTED, "name": "Mine", "is_shared": "on"}, **at()
    )
    assert "Your role keeps views for itself." in answer.content.decode()

    as_ben.post(f"{LIST}save_view/", {**SUBMITTED, "name": "Mine"}, **at())

    assert SavedView.objects.get().is_shared is False


def test_a_view_that_is_not_theirs_is_passed_over(as_ben, ann, club):
    hidden = SavedView.objects.create(
        list_name="customers.customerprofile", name="Hidden", owner=ann, columns=["city"]
    )

    page = as_ben.get(LIST, {"view": hidden.pk})

    assert page.status_code == 200
    assert "handicap" in columns(page)
    assert as_ben.get(LIST, {"view": "x"}).status_code == 200


def test_everybody_shown_is_tagged_and_nobody_else(as_ann, club):
    form = as_ann.get(f"{LIST}tag_many/", **at("?tier=Gold")).content.decode()
    assert "all 2 customers that the list shows" in form

    tag(as_ann, "?tier=Gold", tag="golden", expected=2)

    tagged = CustomerProfile.objects.filter(tags__contains=["golden"])
    assert {each.name: each.tags for each in tagged} == {
        "Gold One": ["golden"],
        "Gold Two": ["vip", "golden"],
    }
    with_theirs = CustomerProfile.all_tenants.filter(tags__contains=["golden"])
    assert with_theirs.count() == 2


def test_the_ticked_alone_are_tagged(as_ann, club, other_tenant):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
    one = CustomerProfile.objects.get(last_name="Three")

    tag(as_ann, ticked=[one.pk, stranger.pk, "x"], tag="called", expected=1)

    assert list(CustomerProfile.objects.filter(tags__contains=["called"])) == [one]


@pytest.mark.parametrize(
    ("query", "values", "said"),
    [
        ("?tier=Gold", {"tag": "x", "expected": 3}, "The list has changed"),
        ("?tier=Gold", {"tag": " ", "expected": 2}, "required"),
        ("?q=nobody", {"tag": "x", "expected": 0}, "There is nobody"),
        ("?known__lt=x", {"tag": "x", "expected": 0}, "There is nobody"),
    ],
)
def test_what_was_not_seen_and_agreed_to_is_not_done(query, values, said, as_ann, club):
    answer = tag(as_ann, query, **values)

    assert said in answer.content.decode()
    assert not CustomerProfile.objects.filter(tags__contains=["x"]).exists()


def test_more_than_go_at_once_are_refused(as_ann, club, monkeypatch):
    monkeypatch.setattr("customers.admin.forms.BulkTagForm.most", 2)

    answer = tag(as_ann, tag="x", expected=3)

    assert "Narrow the list down" in answer.content.decode()


def test_who_only_reads_tags_nobody(as_ben, club):
    assert tag(as_ben, tag="x", expected=3).status_code == 403


def test_segments_narrow_the_list_and_take_many(as_ann, club, other_tenant):
    segment = CustomerSegment.objects.create(name="Callers", type="STATIC")
    with tenant_scope(other_tenant.pk):
        foreign = CustomerSegment.objects.create(name="Foreign", type="STATIC")
    add = f"{LIST}add_many_to_segment/"

    refused = as_ann.post(
        add, {**SUBMITTED, "segment": foreign.pk, "expected": 2}, **at("?tier=Gold")
    )
    as_ann.post(add, {**SUBMITTED, "segment": segment.pk, "expected": 2}, **at("?tier=Gold"))

    assert "Select a valid choice" in refused.content.decode()
    assert names(as_ann.get(LIST, {"segment": segment.pk})) == ["Gold One", "Gold Two"]
    assert len(names(as_ann.get(LIST, {"segment": foreign.pk}))) == 3
    assert CustomerSegmentMembership.objects.filter(segment=segment).count() == 2


def test_tags_and_tiers_offer_what_the_club_has(as_ann, club):
    page = as_ann.get(LIST).content.decode()

    assert ">vip<" in page.replace("\n", "").replace(" ", "")
    assert "theirs" not in page


def merge(client, *ticked):
    ids = "&".join(f"_selected_action={customer.pk}" for customer in ticked)
    answer = client.post(f"{LIST}merge_two/?{ids}", {**SUBMITTED, "expected": len(ticked)}, **at())
    return answer, answer.headers.get("HX-Redirect", "")


def test_two_of_the_list_are_looked_at_side_by_side(as_ann, as_ben, club):
    first, second, third = CustomerProfile.objects.order_by("created_at", "pk")

    answer, address = merge(as_ann, second, first)

    assert address.endswith(f"/duplicatecandidate/compare/{first.pk}/{second.pk}/")
    assert as_ann.get(address).status_code == 200
    for wrong in ((), (first,), (first, second, third), (first, first)):
        answer, address = merge(as_ann, *wrong)
        assert not address
        assert "exactly two" in answer.content.decode()
    assert not merge(as_ben, first, second)[1]
