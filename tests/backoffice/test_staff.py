import pytest

from crm_site.access.models import TenantMembership, User
from crm_site.access.roles import Role
from crm_site.access.services import visible_club_ids
from crm_site.tenancy.models import Club

STAFF = "/oakhill/admin/access/tenantmembership/"
SUBMIT = {"_form_submitted": "on"}


def membership_of(user):
    return TenantMembership.objects.get(user=user)


def test_somebody_new_gets_a_first_password_that_is_shown_once(as_ann, client, tenant):
    page = as_ann.post(f"{STAFF}add/", {"email": "Dan@Oakhill.test", "role": "STAFF"})
    password = page.context["secrets"]["First password"]

    entered = client.post("/admin/login/", {"username": "dan@oakhill.test", "password": password})

    assert entered.status_code == 302
    assert client.get("/")["Location"] == "/oakhill/admin/"


def test_somebody_known_elsewhere_keeps_their_password(as_ann, cleo, tenant):
    as_ann.post(f"{STAFF}add/", {"email": cleo.email, "role": "MARKETER"})

    assert membership_of(cleo).role == Role.MARKETER
    assert User.objects.get(pk=cleo.pk).check_password("correct horse battery")


def test_the_same_person_twice_is_refused_at_the_field(as_ann, ben):
    page = as_ann.post(f"{STAFF}add/", {"email": ben.email, "role": "STAFF"})

    assert page.status_code == 200
    assert "on the staff already" in str(page.context["adminform"].form.errors["email"])


def test_a_marketer_can_be_limited_to_clubs_and_freed_again(as_ann, ben, tenant):
    north = Club.objects.create(name="North Course")
    change = f"{STAFF}{membership_of(ben).pk}/change/"

    as_ann.post(change, {"role": "MARKETER", "clubs": [str(north.pk)]})
    assert membership_of(ben).role == Role.MARKETER
    assert visible_club_ids(User.objects.get(pk=ben.pk)) == {north.pk}

    as_ann.post(change, {"role": "MARKETER"})
    assert visible_club_ids(User.objects.get(pk=ben.pk)) is None


@pytest.mark.parametrize("how", ["demote", "remove"])
def test_the_last_owner_stays_owner(as_ann, ann, how):
    own = membership_of(ann)

    if how == "demote":
        page = as_ann.post(f"{STAFF}{own.pk}/change/", {"role": "VIEWER"})
    else:
        page = as_ann.post(f"{STAFF}{own.pk}/remove/", SUBMIT)

    assert "at least one owner" in page.content.decode()
    assert membership_of(ann).role == Role.OWNER


def test_who_is_removed_can_no_longer_enter(as_ann, as_ben, ben):
    as_ann.post(f"{STAFF}{membership_of(ben).pk}/remove/", SUBMIT)

    assert as_ben.get("/oakhill/admin/").status_code == 404


def test_nobody_but_an_owner_changes_staff(as_ben, as_cleo, ann):
    change = f"{STAFF}{membership_of(ann).pk}/change/"

    assert as_ben.post(change, {"role": "VIEWER"}).status_code == 403
    assert as_cleo.post(change, {"role": "VIEWER"}).status_code == 404
    assert membership_of(ann).role == Role.OWNER
