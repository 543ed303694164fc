"""The results tab, the people behind its numbers, the file, and campaigns beside each other."""

import csv
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign, Delivery
from campaigns.services.results import refresh_results
from campaigns.sync_handlers import record_message_events
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import make_campaign, make_recipient, make_started, send_all
from tests.campaigns.test_admin import sign_in, url_of  # noqa: F401 - a fixture
from tests.campaigns.test_interactions import about
from tests.campaigns.test_results import GOAL, did

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell", "actor")


@pytest.fixture
def answered(tenant, gateway):
    """A campaign to three people: one opened it on a phone and booked, one only got it."""
    people = [
        make_recipient(first_name=name, last_name="Golf", membership_tier=tier)
        for name, tier in (("Ava", "Full"), ("Bo", "Full"), ("Cy", None))
    ]
    campaign = make_started(*people, name="=June", **GOAL)
    send_all()
    deliveries = {row.customer_id: row for row in campaign.deliveries.all()}
    record_message_events(
        [about(each, "delivered") for each in deliveries.values()]
        + [about(deliveries[people[0].pk], "opened", deviceType="mobile")]
    )
    did(people[0], price=45_000)
    refresh_results(campaign.pk)
    return campaign


def test_the_tab_says_what_came_of_it_and_leads_to_people(sign_in, ann, tenant, answered):  # noqa: F811
    client = sign_in(ann)

    page = client.get(url_of(tenant, "campaign_tab", answered.pk, "results")).content.decode()

    assert "booked a tee time within 7 days of the message" in page
    assert "Nobody was held out" in page
    assert "step=OPENED&amp;tier=Full" in page
    assert "step=OPENED&amp;hour=0" in page
    assert "R\xa0450.00" in page or "450.00" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("step=SENT", ["Ava", "Bo", "Cy"]),
        ("step=SENT&tier=Full", ["Ava", "Bo"]),
        ("step=SENT&variant=", ["Ava", "Bo", "Cy"]),
        ("step=DELIVERED&tier=", ["Cy"]),
        ("step=OPENED&device=mobile", ["Ava"]),
        ("step=OPENED&device=desktop", []),
        ("step=DELIVERED&hour=0", ["Ava", "Bo", "Cy"]),
        ("step=OPENED&hour=72", []),
        ("step=CONVERTED", ["Ava"]),
        ("step=HELD_OUT", []),
    ],
)
def test_each_number_opens_its_people(sign_in, ann, tenant, answered, query, names):  # noqa: F811
    url = f"{url_of(tenant, 'campaign_behind', answered.pk)}?{query}"

    page = sign_in(ann).get(url).content.decode()

    assert [name for name in ("Ava", "Bo", "Cy") if f"{name} Golf" in page] == names


def test_people_follow_page_by_page(sign_in, ann, tenant, answered, monkeypatch):  # noqa: F811
    monkeypatch.setattr("campaigns.admin.results.pages.PEOPLE_A_PAGE", 2)
    client, url = sign_in(ann), url_of(tenant, "campaign_behind", answered.pk)

    first = client.get(f"{url}?step=SENT")
    second = client.get(url + first.context["more"])

    assert [row.first_name for row in first.context["customers"]] == ["Ava", "Bo"]
    assert [row.first_name for row in second.context["customers"]] == ["Cy"]
    assert second.context["more"] == ""


@pytest.mark.parametrize(
    "query",
    ["", "step=NONSENSE", "step=SENT&hour=3", "step=OPENED&hour=x", "step=OPENED&segment=x",
     "step=OPENED&after=x", "step=SENT&variant=x", "step=SENT&segment="],
)  # fmt: skip
def test_a_number_that_cannot_be_is_not_found(sign_in, ann, tenant, answered, query):  # noqa: F811
    url = f"{url_of(tenant, 'campaign_behind', answered.pk)}?{query}"

    assert sign_in(ann).get(url).status_code == 404


def test_another_clubs_results_are_not_found(sign_in, ann, tenant, other_tenant, answered):  # noqa: F811
    with tenant_scope(other_tenant.pk):
        theirs = make_started(make_recipient())
    client = sign_in(ann)

    for name in ("campaign_behind", "campaign_csv"):
        assert client.get(f"{url_of(tenant, name, theirs.pk)}?step=SENT").status_code == 404
    assert client.post(url_of(tenant, "campaign_recount", theirs.pk)).status_code == 404
    url = f"{url_of(tenant, 'campaign_compare')}?ids={answered.pk}&ids={theirs.pk}"
    assert "not there" in client.get(url).content.decode()


def test_the_file_has_every_breakdown_and_no_formula(sign_in, ann, tenant, answered):  # noqa: F811
    answer = sign_in(ann).get(url_of(tenant, "campaign_csv", answered.pk))

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["breakdown", "value", "sent", "delivered"]
    assert rows[1][:6] == ["Whole campaign", "'=June", "3", "3", "1", "0"]
    assert ["Membership tier", "Full", "2", "2", "1", "0", "1", "0", "0", "45000.00"] in rows


def test_campaigns_stand_beside_each_other(sign_in, ann, tenant, answered):  # noqa: F811
    other = make_started(make_recipient(), name="July")
    draft = make_campaign(make_recipient(), name="Not yet")
    client, url = sign_in(ann), url_of(tenant, "campaign_compare")

    shown = client.get(f"{url}?ids={answered.pk}&ids={other.pk}")
    alone = client.get(f"{url}?ids={answered.pk}").content.decode()
    refused = client.get(f"{url}?ids={answered.pk}&ids={draft.pk}").content.decode()
    nonsense = client.get(f"{url}?ids=x&ids=y").content.decode()

    assert [row.pk for row in shown.context["chosen"]] == [answered.pk, other.pk]
    assert shown.context["lines"][0]["cells"][0]["count"] == 3
    assert "Choose 2 to 5 campaigns" in alone
    assert "has not started yet" in refused
    assert "no campaign" in nonsense


def test_adding_up_now_is_a_press_of_a_button(sign_in, ann, tenant, answered):  # noqa: F811
    Campaign.objects.filter(pk=answered.pk).update(opened_count=99)
    Delivery.objects.update(updated_at=timezone.now())
    client, url = sign_in(ann), url_of(tenant, "campaign_recount", answered.pk)

    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 302

    answered.refresh_from_db()
    assert answered.opened_count == 1
    assert reverse("admin:campaigns_campaign_change", args=[answered.pk]) in client.post(url).url


def test_a_goal_may_be_chosen_after_it_went_out(sign_in, ann, tenant, answered):  # noqa: F811
    values = {"name": "June", "goal_activity_type": "TEETIME_BOOKED", "goal_days": "14"}
    url = url_of(tenant, "campaign_change", answered.pk)

    assert sign_in(ann).post(url, values).status_code == 302
    refused = sign_in(ann).post(url, {**values, "goal_days": "400"})

    answered.refresh_from_db()
    assert answered.goal_days == 14
    assert "less than or equal to 90" in refused.content.decode()
