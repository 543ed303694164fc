"""Test messages go to staff and seeds, and count nowhere."""

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import CampaignInteraction, Delivery, SeedRecipient, TrialMessage
from campaigns.services.trials import TrialError, request_trial, send_trials
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, CustomerProfile, SyncLog
from customers.sync.events import InboundEvent
from customers.sync.handlers.messaging import message
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient

JSON = {"content_type": "application/json"}


@pytest.fixture(autouse=True)
def bell(monkeypatch):
    """No worker listens in these tests."""
    monkeypatch.setattr("campaigns.tasks.dispatch_trials.delay", lambda *args: None)


@pytest.fixture
def seed(tenant):
    return SeedRecipient.objects.create(name="Committee", email="committee@oakhill.test")


def ask(campaign, *seeds, users=(), **values):
    return request_trial(
        campaign_id=campaign.pk,
        seed_ids=[each.pk for each in seeds],
        user_ids=users,
        actor=ACTOR,
        **values,
    )


def test_staff_and_seeds_read_it_as_a_customer_would(tenant, ann, seed, gateway):
    campaign = make_campaign(reader := make_recipient(first_name="Zola"))

    ask(campaign, seed, users=[ann.pk], customer_id=reader.pk)
    assert send_trials() == 2
    assert send_trials() == 0

    sent = [each for _, each in gateway.inbox]
    assert {each.to.email for each in sent} == {"ann@oakhill.test", "committee@oakhill.test"}
    assert {each.variables["firstName"] for each in sent} == {"Zola"}
    assert {each.metadata["isTest"] for each in sent} == {"true"}
    assert str(reader.pk) not in {each.to.customer_id for each in sent}
    assert set(TrialMessage.objects.values_list("state", flat=True)) == {"ACCEPTED"}


def test_nothing_of_it_is_in_any_figure(tenant, seed, gateway):
    campaign = make_campaign(make_recipient())
    ask(campaign, seed)
    send_trials()
    data = {"customer": {"email": seed.email}, "channel": "EMAIL", "messageId": "m1",
            "metadata": {"isTest": "true"}}  # fmt: skip
    event = InboundEvent("e1", "messaging", "message.opened", timezone.now(), data)

    campaign.refresh_from_db()
    assert message(event) is None
    assert (Delivery.objects.count(), CampaignInteraction.objects.count()) == (0, 0)
    assert (campaign.sent_count, campaign.target_count) == (0, 0)
    assert (Activity.objects.count(), SyncLog.objects.count()) == (0, 0)
    assert CustomerProfile.objects.count() == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_key(tenant, seed, gateway):
    ask(make_campaign(make_recipient()), seed)
    gateway.fail_next(after_accepting=True)

    send_trials()
    assert TrialMessage.objects.get().state == "UNKNOWN"
    TrialMessage.objects.update(leased_until=timezone.now())
    send_trials()

    assert TrialMessage.objects.get().state == "ACCEPTED"
    assert len(gateway.inbox) == 1


def test_it_is_no_way_round_consent_or_the_switch(tenant, other_tenant, cleo, seed, gateway):
    with tenant_scope(other_tenant.pk):
        foreign = SeedRecipient.objects.create(name="Theirs", email="x@pinecrest.test")
    campaign = make_campaign(make_recipient())

    for wrong in (
        {"seeds": [foreign]},
        {"users": [cleo.pk]},
        {"seeds": []},
        {"seeds": [seed], "channels": ["SMS"]},
        {"seeds": [seed], "channels": ["WHATSAPP"]},
    ):
        with pytest.raises(TrialError):
            ask(campaign, *wrong.pop("seeds", []), **wrong)
    ask(campaign, seed)
    tenant.is_sending_enabled = False
    tenant.save()

    assert send_trials() == 0
    assert gateway.inbox == []


def test_over_http_ann_may_ben_may_not_and_cleo_finds_nothing(
    client, as_ann, as_ben, as_cleo, key_for, tenant, seed
):
    campaign = make_campaign(make_recipient())
    own = f"/{tenant.pk}/api/v1/campaigns/{campaign.pk}/test-send/"
    url = f"/api/v1/campaigns/{campaign.pk}/test-send/"
    headers = key_for(tenant, "campaigns:write")

    sent = client.post(url, {}, **JSON, **headers)
    bad = client.post(url, {"channels": ["PIGEON"]}, **JSON, **headers)
    odd = client.post(url, {"to": "anybody@example.com"}, **JSON, **headers)

    assert (sent.status_code, len(sent.json())) == (202, 1)
    assert sent.json()[0]["address"] == seed.email
    assert (bad.status_code, odd.status_code) == (400, 400)
    assert as_ann.post(own, {"seedIds": [str(seed.pk)]}, **JSON).status_code == 202
    assert as_ben.post(own, {}, **JSON).status_code == 403
    assert as_cleo.post(own, {}, **JSON).status_code == 404


def test_the_review_sends_a_test_and_shows_what_became_of_it(as_ann, ann, tenant, seed, gateway):
    campaign = make_campaign(make_recipient())
    page = f"/{tenant.pk}" + reverse("admin:campaigns_campaign_step", args=[campaign.pk, "review"])

    answer = as_ann.post(page, {"wish": "test", "staff": [ann.pk], "seed": [seed.pk, "nonsense"]})
    send_trials()
    shown = as_ann.get(page).content.decode()

    assert answer.status_code == 302
    assert "E-mail to Committee" in shown
    assert TrialMessage.objects.count() == 2
