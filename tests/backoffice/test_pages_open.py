"""Every page that a role may open opens, with rows and without, and stays within its club."""

import pytest
from django.contrib import admin
from django.urls import reverse

from crm_site.access.services import create_webhook_endpoint, issue_api_key
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Club
from journeys.models import Journey, JourneyEnrollment, JourneyEnrollmentStep, JourneyStep
from social.models import SocialConnection, SocialPost
from tests.conftest import ACTOR
from tests.factories import make_customer

# One row and no list: the address of the list leads to the row.
SINGLE = {"tenancy.Tenant", "tenancy.Installation"}
SCREENS = [model for model in admin.site._registry if model._meta.label not in SINGLE]


def address(model, page="changelist", *args):
    opts = model._meta
    path = reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=args)
    return f"/oakhill{path}"


def fill():
    """Something to see in the club in scope."""
    Club.objects.create(name="North Course")
    customer = make_customer()
    issue_api_key(name="Website", scopes=["customers:read"], actor=ACTOR)
    create_webhook_endpoint(source="scl", actor=ACTOR)
    journey = Journey.objects.create(name="Welcome", trigger_type="member.created", created_by="x")
    end = JourneyStep.objects.create(journey=journey, step_number=2, type="END")
    start = JourneyStep.objects.create(
        journey=journey, step_number=1, type="TRIGGER", next_step=end
    )
    enrollment = JourneyEnrollment.objects.create(
        journey=journey, customer=customer, current_step=start
    )
    JourneyEnrollmentStep.objects.create(enrollment=enrollment, step=start)
    connection = SocialConnection.objects.create(
        platform="FACEBOOK", account_id="1", account_name="Oakhill", access_token="never-shown",
        connected_by="user:1",
    )  # fmt: skip
    SocialPost.objects.create(connection=connection, content="Frost delay", created_by="user:1")


@pytest.mark.parametrize("model", SCREENS, ids=[model._meta.label for model in SCREENS])
def test_a_list_and_its_first_row_open(model, as_root, tenant):
    empty = as_root.get(address(model))
    fill()

    full = as_root.get(address(model))
    row = model._default_manager.first()

    assert empty.status_code == full.status_code == 200
    if row is not None:
        page = as_root.get(address(model, "change", row.pk))
        assert page.status_code == 200
        assert "never-shown" not in page.content.decode()


def test_the_switch_of_the_installation_is_for_superusers_only(as_root, as_ann, tenant):
    list_page = "/oakhill/admin/tenancy/installation/"

    opened = as_root.get(list_page, follow=True)

    assert opened.status_code == 200
    assert "Sending is on for every club" in opened.content.decode()
    assert as_ann.get(list_page).status_code in (302, 403)
    assert as_ann.get(f"{list_page}1/change/").status_code in (302, 403)


@pytest.mark.parametrize("model", SCREENS, ids=[model._meta.label for model in SCREENS])
def test_an_add_form_opens_for_whoever_may_add(model, as_root):
    answer = as_root.get(address(model, "add"))

    assert answer.status_code in {200, 403}


def test_the_row_of_another_club_is_not_found(as_ann, other_tenant):
    with tenant_scope(other_tenant.pk):
        strange = Club.objects.create(name="Strange Links")

    assert as_ann.get(address(Club, "change", strange.pk)).status_code == 404
    assert "Strange" not in as_ann.get(address(Club)).content.decode()


def test_somebody_who_only_reads_gets_no_settings_keys_or_staff(as_ben):
    for page in (
        "access/apikey/",
        "access/tenantmembership/",
        "audit/crmauditlog/",
        "access/user/",
    ):
        assert as_ben.get(f"/oakhill/admin/{page}").status_code == 403
    home = as_ben.get("/oakhill/admin/").content.decode()
    assert "API keys" not in home
    assert "Staff" not in home


def test_only_superusers_see_the_installation(as_ann, as_root):
    assert as_ann.get("/oakhill/admin/django_celery_beat/periodictask/").status_code == 403
    assert "Schedules" not in as_ann.get("/oakhill/admin/").content.decode()
    assert "Schedules" in as_root.get("/oakhill/admin/").content.decode()
