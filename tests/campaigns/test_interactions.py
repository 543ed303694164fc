"""One interaction per event, counted once per message, and numbers that can be rebuilt."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign, CampaignInteraction, Delivery, SendingHold
from campaigns.services.retention import forget_old_details
from campaigns.services.statistics import COUNTER_OF, RATES, rebuild_statistics
from campaigns.sync_handlers import record_message_events
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import tenant_scope
from customers.services.merging import merge_profiles
from customers.signals import profile_erased
from customers.sync.events import InboundEvent, ProcessedEvent
from tests.campaigns.builders import (
    ACTOR,
    make_campaign,
    make_recipient,
    make_started,
    send_all,
    states_of,
)

pytestmark = pytest.mark.usefixtures("actor")
numbers = itertools.count(1)


def about(delivery, what, **data):
    """An event about a delivery, taken in."""
    metadata = {"campaignId": str(delivery.campaign_id), "deliveryId": str(delivery.pk)}
    values = {
        "messageId": delivery.message_id or "msg-late",
        "channel": delivery.channel,
        "metadata": metadata,
        **data,
    }
    event = InboundEvent(
        id=data.pop("id", None) or f"event-{next(numbers)}",
        source="messaging",
        type=f"message.{what}",
        time=timezone.now(),
        data=values,
    )
    return ProcessedEvent(event, delivery.customer_id, None)


def figures(campaign):
    campaign.refresh_from_db()
    names = ["target_count", *COUNTER_OF.values(), *RATES]
    return {name: getattr(campaign, name) for name in names}


@pytest.fixture
def sent(tenant, gateway):
    """A campaign that two people got, one of them over both channels."""
    both = make_recipient(sms_opt_in=True, phone_number="+27825550101")
    campaign = make_started(both, make_recipient(), channels=[Channel.EMAIL, Channel.SMS])
    send_all()
    campaign.refresh_from_db()
    return campaign


def test_counters_follow_the_events_and_agree_with_a_rebuild(sent, django_assert_max_num_queries):
    deliveries = list(sent.deliveries.filter(state="ACCEPTED"))
    first = deliveries[0]
    events = [about(each, "delivered") for each in deliveries]
    events += [about(first, "opened"), about(first, "opened"), about(first, "clicked")]

    with django_assert_max_num_queries(12):
        record_message_events(events)

    found = figures(sent)
    assert (found["sent_count"], found["delivered_count"]) == (3, 3)
    assert (found["opened_count"], found["clicked_count"]) == (1, 1)
    assert (found["delivery_rate"], found["open_rate"]) == (1.0, pytest.approx(1 / 3))
    assert CampaignInteraction.objects.count() == 6
    rebuild_statistics(sent.pk)
    assert figures(sent) == found


def test_a_message_opened_in_two_batches_counts_once(sent):
    delivery = sent.deliveries.filter(state="ACCEPTED").first()

    record_message_events([about(delivery, "opened")])
    record_message_events([about(delivery, "opened")])

    assert figures(sent)["opened_count"] == 1
    assert sent.interactions.count() == 2


def test_a_repeated_event_changes_nothing(sent):
    delivery = sent.deliveries.filter(state="ACCEPTED").first()
    event = about(delivery, "opened")

    record_message_events([event])
    record_message_events([event])

    assert sent.interactions.count() == 1


def test_without_anything_to_divide_by_a_rate_is_null(tenant, gateway):
    campaign = make_campaign(make_recipient())

    rebuild_statistics(campaign.pk)

    assert {figures(campaign)[rate] for rate in RATES} == {None}


def test_another_clubs_campaign_gets_no_interaction(tenant, other_tenant, gateway):
    with tenant_scope(other_tenant.pk):
        stranger = make_campaign(make_recipient())
    mine = make_recipient()
    event = InboundEvent(
        id="e", source="messaging", type="message.opened", time=timezone.now(),
        data={"channel": "EMAIL", "metadata": {"campaignId": str(stranger.pk)}},
    )  # fmt: skip

    record_message_events([ProcessedEvent(event, mine.pk, None)])

    assert CampaignInteraction.objects.count() == 0
    with tenant_scope(other_tenant.pk):
        assert CampaignInteraction.objects.count() == 0


@pytest.mark.parametrize(
    "data",
    [{}, {"metadata": None}, {"metadata": "x"}, {"metadata": {"campaignId": "nonsense"}},
     {"metadata": {"campaignId": 7}}, {"channel": "PIGEON"}],
)  # fmt: skip
def test_what_is_about_no_campaign_of_ours_is_passed_over(tenant, data):
    customer = make_recipient()
    values = {"channel": "EMAIL", **data}
    event = InboundEvent("e", "messaging", "message.opened", timezone.now(), values)

    record_message_events([ProcessedEvent(event, customer.pk, None)])

    assert CampaignInteraction.objects.count() == 0


def test_what_cannot_be_read_of_an_event_is_left_out(sent):
    delivery = sent.deliveries.filter(state="ACCEPTED").first()

    record_message_events(
        [about(delivery, "clicked", ipAddress="not an address", linkUrl="x" * 3000, location=[])]
    )

    interaction = sent.interactions.get()
    assert (interaction.ip_address, interaction.link_url, interaction.location) == (
        None, None, None,
    )  # fmt: skip


def test_a_campaign_without_a_message_of_ours_counts_its_people(tenant, gateway):
    campaign = make_campaign(make_recipient())
    customer = campaign.segment.memberships.get().customer
    event = {"channel": "EMAIL", "metadata": {"campaignId": str(campaign.pk)}}

    for number in range(2):
        inbound = InboundEvent(str(number), "messaging", "message.opened", timezone.now(), event)
        record_message_events([ProcessedEvent(inbound, customer.pk, None)])

    found = figures(campaign)
    assert found["opened_count"] == 1
    rebuild_statistics(campaign.pk)
    assert figures(campaign) == found


def test_an_event_settles_a_message_in_doubt(tenant, gateway):
    campaign = make_started(make_recipient())
    gateway.fail_next(after_accepting=True)
    send_all()
    delivery = campaign.deliveries.get()
    assert delivery.state == "UNKNOWN"

    record_message_events([about(delivery, "delivered", messageId="msg-77")])

    delivery.refresh_from_db()
    assert (delivery.state, delivery.message_id) == ("ACCEPTED", "msg-77")
    found = figures(campaign)
    assert (found["sent_count"], found["delivered_count"]) == (1, 1)
    rebuild_statistics(campaign.pk)
    assert figures(campaign) == found


def test_a_merge_moves_what_was_sent_and_never_sends_twice(tenant, gateway):
    survivor, absorbed = make_recipient(), make_recipient()
    campaign = make_started(survivor, absorbed)
    gateway.throttle_next()
    send_all()  # Only the snapshot.

    merge_profiles(survivor_id=survivor.pk, absorbed_id=absorbed.pk, actor=ACTOR)
    SendingHold.objects.all().delete()
    Delivery.objects.update(due_at=timezone.now())
    send_all()

    assert len(gateway.inbox) == 1
    assert states_of(campaign) == [("ACCEPTED", None), ("SUPPRESSED", "MERGED")]


def test_erased_people_are_not_sent_to_and_leave_nothing_personal(tenant, gateway):
    first, second = make_recipient(), make_recipient()
    campaign = make_started(first)
    send_all()
    record_message_events(
        [about(campaign.deliveries.get(), "opened", ipAddress="10.0.0.1", userAgent="Mail")]
    )
    later = make_started(second, name="Later")
    gateway.throttle_next()
    send_all()

    for profile in (first, second):
        profile_erased.send(sender=None, profile=profile)

    assert states_of(later) == [("SUPPRESSED", "ERASED")]
    assert campaign.deliveries.get().request is None
    interaction = campaign.interactions.get()
    assert (interaction.ip_address, interaction.user_agent) == (None, None)
    assert figures(campaign)["opened_count"] == 1


def test_old_details_are_forgotten_after_the_clubs_days(sent, tenant):
    delivery = sent.deliveries.filter(state="ACCEPTED").first()
    details = {"ipAddress": "10.0.0.1", "userAgent": "Mail"}
    record_message_events(
        [about(delivery, "opened", **details), about(delivery, "clicked", **details)]
    )
    old = timezone.now() - timedelta(days=91)
    sent.interactions.filter(type="OPENED").update(occurred_at=old)

    assert forget_old_details(now=timezone.now()) == 1

    kept = dict(sent.interactions.values_list("type", "user_agent"))
    assert kept == {"OPENED": None, "CLICKED": "Mail"}
    assert Campaign.objects.get(pk=sent.pk).opened_count == 1
