"""A marketer fills in the form, sees what will happen, and starts it."""

import pytest
from django.urls import reverse

from campaigns.services.lifecycle import start_campaign
from tests.campaigns.builders import (
    ACTOR,
    make_campaign,
    make_recipient,
    send_all,
)

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell")


@pytest.fixture
def sign_in(client, tenant):
    def enter(user):
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client

    return enter


def url_of(tenant, name, *args):
    return f"/{tenant.pk}" + reverse(f"admin:campaigns_{name}", args=args)


def press(client, tenant, campaign, button, **values):
    url = url_of(tenant, f"campaign_{button}", campaign.pk)

    return client.post(url, {"_form_submitted": "True", **values})


def test_start_now_starts_and_the_page_shows_what_came_of_it(
    sign_in, ann, tenant, silent_bell, django_capture_on_commit_callbacks
):
    campaign = make_campaign(make_recipient(), make_recipient(email_opt_in=False))

    with django_capture_on_commit_callbacks(execute=True):
        answer = press(sign_in(ann), tenant, campaign, "start_now")
    assert answer["HX-Redirect"].endswith(f"{campaign.pk}/change/")
    assert silent_bell == [tenant.pk]
    send_all()
    page = sign_in(ann).get(url_of(tenant, "campaign_change", campaign.pk)).content.decode()
    panel = sign_in(ann).get(url_of(tenant, "campaign_panel", campaign.pk)).content.decode()

    for shown in (page, panel):
        assert "Completed" in shown
        assert "state__exact=ACCEPTED" in shown
        assert "reason__exact=NO_CONSENT" in shown


def test_a_refused_start_says_why_in_the_dialog(sign_in, ann, tenant):
    campaign = make_campaign(make_recipient(), email_template_id=None)

    answer = press(sign_in(ann), tenant, campaign, "start_now")

    assert "no template is chosen for it" in answer.content.decode()
    campaign.refresh_from_db()
    assert campaign.status == "DRAFT"


def test_a_link_alone_starts_nothing(sign_in, ann, tenant):
    campaign = make_campaign(make_recipient())

    sign_in(ann).get(url_of(tenant, "campaign_start_now", campaign.pk))

    campaign.refresh_from_db()
    assert campaign.status == "DRAFT"


def test_ben_may_look_and_cleo_finds_nothing(sign_in, ben, cleo, tenant):
    campaign = make_campaign(make_recipient())
    page = url_of(tenant, "campaign_change", campaign.pk)

    assert sign_in(ben).get(page).status_code == 200
    assert press(sign_in(ben), tenant, campaign, "start_now").status_code == 403
    assert sign_in(cleo).get(page).status_code == 404
    assert press(sign_in(cleo), tenant, campaign, "start_now").status_code == 404
    campaign.refresh_from_db()
    assert campaign.status == "DRAFT"


def test_a_running_campaign_takes_a_new_name_only(sign_in, ann, tenant):
    campaign = make_campaign(make_recipient())
    start_campaign(campaign_id=campaign.pk, actor=ACTOR)

    sign_in(ann).post(
        url_of(tenant, "campaign_change", campaign.pk),
        {
            "name": "New name",
            "goal_days": "7",
            "channels": ["SMS"],
            "timezone": "UTC",
            "send_on": "2030-01-01",
        },
    )

    campaign.refresh_from_db()
    assert (campaign.name, campaign.channels) == ("New name", ["EMAIL"])
    assert campaign.scheduled_at is None


def test_lists_of_runs_messages_and_responses_open_with_the_campaigns_filter(sign_in, ann, tenant):
    campaign = make_campaign(make_recipient(email_opt_in=False), make_recipient())
    start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    send_all()
    client = sign_in(ann)
    query = f"?campaign__id__exact={campaign.pk}"

    for model, more in (
        ("campaignrun", ""),
        ("delivery", "&state__exact=SUPPRESSED&reason__exact=NO_CONSENT"),
        ("campaigninteraction", "&type__exact=OPENED"),
    ):
        answer = client.get(url_of(tenant, f"{model}_changelist") + query + more)
        assert answer.status_code == 200, model
    delivery = campaign.deliveries.first()
    assert client.get(url_of(tenant, "delivery_change", delivery.pk)).status_code == 200


def test_a_state_without_a_colour_of_its_own_is_shown_in_words_too(sign_in, ann, tenant):
    campaign = make_campaign(make_recipient())
    start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    send_all()

    shown = sign_in(ann).get(url_of(tenant, "campaignrun_changelist")).content.decode()

    assert ">COMPLETED<" not in "".join(shown.split())
    assert ">Completed<" in "".join(shown.split())


def test_the_customers_page_says_what_they_got_and_what_came_of_it(
    sign_in, ann, cleo, tenant, other_tenant
):
    zoe, silent = make_recipient(), make_recipient(email_opt_in=False)
    campaign = make_campaign(zoe, silent, name="Spring news")
    start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    send_all()
    delivery = campaign.deliveries.get(customer=zoe)
    for kind in ("DELIVERED", "CLICKED", "OPENED"):
        delivery.interactions.create(campaign=campaign, customer=zoe, channel="EMAIL", type=kind)
    page, silents = (
        f"/{tenant.pk}" + reverse("admin:customers_customerprofile_change", args=[each.pk])
        for each in (zoe, silent)
    )

    assert sign_in(cleo).get(page).status_code == 404
    shown = sign_in(ann).get(page).content.decode()

    assert "Spring news" in shown
    assert '<span class="crm-pill crm-green">Clicked</span>' in shown
    assert "Left out: no consent" in sign_in(ann).get(silents).content.decode()
