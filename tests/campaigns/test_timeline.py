"""What campaigns and journeys add to a customer's timeline."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus
from campaigns.models import Delivery
from customers.services.timeline import read_coming, read_timeline
from journeys.models import Journey, JourneyEnrollment
from tests.campaigns.builders import make_campaign, make_recipient, make_started, send_all
from tests.factories import make_activity, make_customer

VIEWER = "user:test"
PAGE = "/oakhill/admin/customers/customerprofile/{}/change/"


def titles(customer, **values):
    page = read_timeline(customer_id=customer.pk, viewer=VIEWER, **values)
    return [f"{entry.title}: {entry.description}" for entry in page.entries]


def coming(customer):
    found = read_coming(customer_id=customer.pk, viewer=VIEWER, now=timezone.now())
    return [entry.title for entry in found]


@pytest.mark.usefixtures("gateway", "silent_bell")
class TestMessages:
    def test_what_was_left_out_says_why(self, tenant):
        heard, silent = make_recipient(), make_customer()
        make_started(heard, silent)
        send_all()

        assert titles(heard) == ["Was sent an e-mail: "]
        assert titles(silent) == ["Was not sent an e-mail: No consent."]
        assert titles(silent, text="consent e-mail") == titles(silent)
        assert titles(silent, text="caddie") == titles(silent, services=["scl"]) == []

    def test_words_reach_messages_beyond_the_first_page(self, tenant):
        customer = make_recipient()
        for _ in range(3):
            make_started(customer)
        send_all()
        oldest = Delivery.objects.order_by("settled_at", "pk").first()
        Delivery.objects.filter(pk=oldest.pk).update(state="SUPPRESSED", reason="CAPPED")

        page = read_timeline(customer_id=customer.pk, viewer=VIEWER, text="hears enough", limit=1)

        assert [entry.id for entry in page.entries] == [oldest.pk]
        assert page.next is None

    def test_the_outbox_and_scheduled_campaigns_are_to_come(self, tenant):
        customer = make_recipient()
        soon = timezone.now() + timedelta(hours=5)
        make_campaign(customer, status=CampaignStatus.SCHEDULED, scheduled_at=soon)
        make_campaign(make_recipient(), status=CampaignStatus.SCHEDULED, scheduled_at=soon)

        assert coming(customer) == ["May be sent an e-mail"]

    def test_a_message_on_the_page_leads_to_its_campaign(self, as_ann, tenant):
        customer = make_recipient()
        campaign = make_campaign(name="Winter greens")
        for given in (str(campaign.pk), "x", 7, None):
            make_activity(customer=customer, metadata={"metadata": {"campaignId": given}})
        make_activity(customer=customer, metadata=["odd"])

        page = as_ann.get(PAGE.format(customer.pk)).content.decode()

        assert page.count("Winter greens</a>") == 1


def test_waits_of_journeys_are_to_come(as_ann, tenant):
    customer = make_customer()
    journey = Journey.objects.create(name="Welcome", trigger_type="MANUAL", created_by=VIEWER)
    until = timezone.now() + timedelta(days=2)
    JourneyEnrollment.objects.create(journey=journey, customer=customer, waiting_until=until)

    assert coming(customer) == ["Journey “Welcome” goes on"]
    assert "Welcome" in as_ann.get(PAGE.format(customer.pk)).content.decode()
