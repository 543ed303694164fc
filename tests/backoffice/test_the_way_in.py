from django.db import transaction

from crm_site.access.models import User
from crm_site.access.roles import Role
from crm_site.access.services import grant_membership
from crm_site.tenancy.context import tenant_scope
from tests.conftest import ACTOR, signed_in

PASSWORD = "correct horse battery"


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_same_page(client, ann):
    refused = client.get("/oakhill/admin/")
    entered = client.post(refused["Location"], {"username": ann.email, "password": PASSWORD})

    assert refused["Location"] == "/admin/login/?next=/oakhill/admin/"
    assert entered["Location"] == "/oakhill/admin/"


def test_signing_in_without_a_wish_leads_to_ones_own_club(client, ann):
    entered = client.post("/admin/login/", {"username": ann.email, "password": PASSWORD})

    assert entered["Location"] == "/"
    assert client.get("/")["Location"] == "/oakhill/admin/"


def test_the_bare_admin_only_lets_people_in(as_ann):
    assert as_ann.get("/admin/")["Location"] == "/"
    assert as_ann.get("/admin/access/apikey/")["Location"] == "/"


def test_every_link_of_a_page_stays_in_its_club(as_ann):
    page = as_ann.get("/oakhill/admin/").content.decode()

    assert 'href="/oakhill/admin/' in page
    assert 'href="/admin/' not in page


def test_another_clubs_address_does_not_exist(as_ann, as_cleo):
    assert as_ann.get("/pinecrest/admin/").status_code == 404
    assert as_cleo.get("/oakhill/admin/").status_code == 404
    assert as_cleo.get("/pinecrest/admin/").status_code == 200


def test_somebody_with_two_clubs_chooses_once_and_returns_to_the_last(as_ann, ann, other_tenant):
    with tenant_scope(other_tenant.pk), transaction.atomic():
        grant_membership(user=ann, role=Role.VIEWER, actor=ACTOR)

    chooser = as_ann.get("/").content.decode()
    as_ann.get("/pinecrest/admin/")

    assert 'href="/oakhill/admin/"' in chooser
    assert 'href="/pinecrest/admin/"' in chooser
    assert as_ann.get("/")["Location"] == "/pinecrest/admin/"
    assert as_ann.get("/?choose").status_code == 200


def test_somebody_without_a_club_reads_what_to_do(db):
    user = User.objects.create_user("new@example.com", PASSWORD)

    page = signed_in(user).get("/").content.decode()

    assert "no club has added you" in page


def test_a_switcher_shows_only_ones_own_clubs(as_ann, ann, other_tenant):
    alone = as_ann.get("/oakhill/admin/").content.decode()
    with tenant_scope(other_tenant.pk), transaction.atomic():
        grant_membership(user=ann, role=Role.VIEWER, actor=ACTOR)

    both = as_ann.get("/oakhill/admin/").content.decode()

    assert "Pinecrest" not in alone
    assert "Pinecrest Country Club" in both


def test_signing_out_needs_a_post(as_ann):
    assert as_ann.get("/oakhill/admin/logout/").status_code == 405

    as_ann.post("/oakhill/admin/logout/")

    assert as_ann.get("/oakhill/admin/").status_code == 302


def test_too_many_wrong_passwords_close_the_door_in_plain_words(client, ann):
    for _ in range(9):
        answer = client.post("/admin/login/", {"username": ann.email, "password": "wrong"})

    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
