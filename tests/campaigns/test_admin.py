"""A marketer fills in the form, sees what will happen, and starts it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.lifecycle import start_campaign
from crm_site.messaging.gateway import MessagingUncertain
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import (
    ACTOR,
    make_campaign,
    make_recipient,
    make_segment,
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


def form_values(segment, **values):
    return {
        "name": "Winter offer",
        "segment": str(segment.pk),
        "channels": ["EMAIL"],
        "email_template_id": "newsletter-email",
        "timezone": "Africa/Johannesburg",
        **values,
    }


def press(client, tenant, campaign, button, **values):
    url = url_of(tenant, f"campaign_{button}", campaign.pk)

    return client.post(url, {"_form_submitted": "True", **values})


def test_a_campaign_is_made_by_form_and_read_by_its_zones_clock(sign_in, ann, tenant):
    segment = make_segment(make_recipient())
    day = (timezone.now() + timedelta(days=30)).date()

    answer = sign_in(ann).post(
        url_of(tenant, "campaign_add"), form_values(segment, send_on=day, send_at="09:30")
    )

    campaign = Campaign.objects.get()
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert answer["Location"].endswith(f"{campaign.pk}/change/#dataset-review")
    assert (campaign.scheduled_at.date(), f"{campaign.scheduled_at:%H:%M}") == (day, "07:30")
    assert (campaign.channels, campaign.status) == (["EMAIL"], "DRAFT")
    assert campaign.created_by == f"user:{ann.pk}"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"send_on": "2020-01-01", "send_at": "09:00"}, "send_on"),
        ({"send_on": "2030-01-01"}, "send_at"),
        ({"send_on": "2030-03-31", "send_at": "01:30", "timezone": "Europe/London"}, "send_at"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"channels": ["PIGEON"]}, "channels"),
        ({"email_template_id": "unheard-of"}, "email_template_id"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_values_are_shown_at_their_field(sign_in, ann, tenant, values, field):
    answer = sign_in(ann).post(
        url_of(tenant, "campaign_add"), form_values(make_segment(), **values)
    )

    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {field}
    assert Campaign.objects.count() == 0


def test_another_clubs_segment_is_no_choice(sign_in, ann, tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        foreign = make_segment(name="Theirs alone")

    page = sign_in(ann).get(url_of(tenant, "campaign_add"))
    answer = sign_in(ann).post(url_of(tenant, "campaign_add"), form_values(foreign))

    assert "Theirs alone" not in page.content.decode()
    assert set(answer.context["adminform"].form.errors) == {"segment"}


def test_the_form_opens_while_messaging_is_away(sign_in, ann, tenant, gateway, monkeypatch):
    def away(*args):
        raise MessagingUncertain("No answer.")

    monkeypatch.setattr(gateway, "list_templates", away)

    page = sign_in(ann).get(url_of(tenant, "campaign_add"))

    assert page.status_code == 200
    assert "Messaging cannot be reached just now" in page.content.decode()


def test_the_review_counts_who_will_hear(sign_in, ann, tenant):
    campaign = make_campaign(make_recipient(), make_recipient(email_opt_in=False))

    page = sign_in(ann).get(url_of(tenant, "campaign_tab", campaign.pk, "review")).content.decode()

    assert "1 person will hear, by 1 message." in page
    assert "No consent" in page


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
        {"name": "New name", "channels": ["SMS"], "timezone": "UTC", "send_on": "2030-01-01"},
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
