"""One message to one customer by hand: consent holds, and the same wish is one message."""

from uuid import uuid4

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.services.lifecycle import CampaignError, cancel_campaign, clone_campaign
from campaigns.services.single import SingleMessageError, send_single_message
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import ACTOR, consent, make_recipient, send_all
from tests.factories import make_customer

pytestmark = pytest.mark.usefixtures("silent_bell")
PAGE = "/oakhill/admin/customers/customerprofile/{}/send_message/"


def send(customer, *, channel="EMAIL", template_id="welcome-email", token=None):
    return send_single_message(
        customer_id=customer.pk,
        channel=channel,
        template_id=template_id,
        token=token or uuid4(),
        actor=ACTOR,
        now=timezone.now(),
    )


def test_it_goes_out_once_through_the_ledger(tenant, gateway):
    customer, token = make_recipient(), uuid4()

    first, again = send(customer, token=token), send(customer, token=token)
    send(customer)
    send_all()

    assert first.pk == again.pk
    assert [message.template_id for _, message in gateway.inbox] == ["welcome-email"] * 2
    campaign = Campaign.objects.get()
    assert (campaign.sent_count, campaign.target_count) == (2, 2)
    assert campaign.status == CampaignStatus.ACTIVE
    assert {run.status for run in CampaignRun.objects.all()} == {"COMPLETED"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"channel": "SMS", "template_id": "offer-sms"}, "NO_CONSENT"),
        ({"template_id": "offer-sms"}, "invalid"),
        ({"template_id": "x"}, "invalid"),
    ],
)
def test_what_may_not_be_sent_is_refused_and_nothing_is_written(values, code, tenant, gateway):
    with pytest.raises(SingleMessageError) as refused:
        send(make_recipient(), **values)

    assert refused.value.code == code
    assert not Delivery.objects.exists()


def test_caps_hold_and_consent_is_asked_again_before_it_leaves(tenant, gateway):
    tenant.frequency_cap_count, tenant.frequency_cap_days = 1, 7
    tenant.save()
    customer, other = make_recipient(), make_recipient()
    send(customer)
    send(other)
    consent(other, email_opt_in=False)
    send_all()

    with pytest.raises(SingleMessageError) as refused:
        send(customer)

    assert refused.value.code == "CAPPED"
    assert len(gateway.inbox) == 1
    assert Delivery.objects.get(customer=other).reason == "NO_CONSENT"


def test_nobody_elses_customer_is_written_to(tenant, other_tenant, gateway):
    with tenant_scope(other_tenant.pk):
        stranger = make_recipient()

    with pytest.raises(SingleMessageError):
        send(stranger)


def test_paused_it_sends_nothing_and_it_stays(tenant, gateway):
    customer = make_recipient()
    send(customer)
    campaign = Campaign.objects.get()
    with pytest.raises(CampaignError):
        cancel_campaign(campaign_id=campaign.pk, actor=ACTOR)
    assert clone_campaign(campaign_id=campaign.pk, actor=ACTOR).is_system is False
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.PAUSED)

    with pytest.raises(SingleMessageError, match="paused"):
        send(customer)


def test_from_the_page_only_what_they_agreed_to_is_offered(as_ann, as_ben, tenant, gateway):
    customer = make_recipient()
    page = PAGE.format(customer.pk)
    dialog = as_ann.get(page).content.decode()
    assert "Newsletter" in dialog
    assert "Midweek offer" not in dialog
    assert "Not by SMS: no consent." in dialog

    wish = {"_form_submitted": "True", "message": "EMAIL|welcome-email", "token": str(uuid4())}
    for _ in range(2):
        as_ann.post(page, wish)
    refused = as_ann.post(page, {**wish, "message": "SMS|offer-sms"})

    assert Delivery.objects.count() == 1
    assert "Select a valid choice" in refused.content.decode()
    assert as_ben.post(page, wish).status_code == 403
    assert as_ann.post(PAGE.format(make_customer().pk), wish).status_code == 200
    assert Delivery.objects.count() == 1
