"""Each person hears once, whatever Messaging answers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus, DeliveryReason, DeliveryState, RunStatus
from campaigns.models import Delivery, SendingHold
from campaigns.services.audience import count_reach
from campaigns.services.claims import claim
from campaigns.services.crowd import Crowd
from campaigns.services.lifecycle import cancel_campaign, pause_campaign, resume_campaign
from campaigns.services.outcomes import Outcome, record
from campaigns.services.runs import prepare_run
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import MessagingRefused, Reason
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from customers.services.merging import merge_profiles
from tests.campaigns.builders import (
    ACTOR,
    consent,
    make_recipient,
    make_started,
    send_all,
    states_of,
)

pytestmark = pytest.mark.usefixtures("actor")


def overdue(**values):
    """Let every open message be due again."""
    Delivery.objects.unsettled().update(due_at=timezone.now() - timedelta(seconds=1), **values)
    SendingHold.objects.all().delete()


def test_everybody_with_consent_hears_once_and_the_campaign_completes(tenant, gateway):
    hearing = [make_recipient() for _ in range(3)]
    silent = make_recipient(email_opt_in=False)
    campaign = make_started(*hearing, silent)

    more = send_all()

    assert not more
    assert sorted(m.to.customer_id for _, m in gateway.inbox) == sorted(str(c.pk) for c in hearing)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.COMPLETED
    assert (campaign.target_count, campaign.sent_count) == (4, 3)
    run = campaign.runs.get()
    assert (run.status, run.target_count) == (RunStatus.COMPLETED, 4)
    assert states_of(campaign) == [
        ("ACCEPTED", None), ("ACCEPTED", None), ("ACCEPTED", None), ("SUPPRESSED", "NO_CONSENT"),
    ]  # fmt: skip


def test_a_message_says_where_it_belongs_and_whom_it_is_for(tenant, gateway):
    customer = make_recipient(first_name="Thandi", email="thandi@example.com")
    campaign = make_started(customer)

    send_all()

    ((tenant_id, message),) = gateway.inbox
    delivery = campaign.deliveries.get()
    assert tenant_id == tenant.pk
    assert message.metadata == {
        "campaignId": str(campaign.pk),
        "runId": str(delivery.run_id),
        "deliveryId": str(delivery.pk),
    }
    assert (message.to.email, message.template_id) == ("thandi@example.com", "newsletter-email")
    assert message.variables["firstName"] == "Thandi"
    assert message.variables["clubName"] == tenant.name
    assert delivery.message_id == "msg-1"


def test_somebody_with_consent_for_both_channels_gets_each_once(tenant, gateway):
    customer = make_recipient(sms_opt_in=True, phone_number="+27825550101")
    campaign = make_started(customer, channels=[Channel.EMAIL, Channel.SMS])

    send_all()
    send_all()

    assert sorted(message.channel for _, message in gateway.inbox) == ["EMAIL", "SMS"]
    assert campaign.runs.get().target_count == 1


@pytest.mark.parametrize("after_accepting", [True, False])
def test_a_lost_answer_is_repeated_with_the_same_key_and_body(tenant, gateway, after_accepting):
    customers = [make_recipient() for _ in range(3)]
    campaign = make_started(*customers)
    gateway.fail_next(after_accepting=after_accepting)

    send_all()
    assert {state for state, _ in states_of(campaign)} == {"UNKNOWN"}
    CustomerProfile.objects.update(first_name="Renamed")  # The body must not follow.
    overdue()
    send_all()

    assert len(gateway.inbox) == 3
    first, second = (
        sorted(messages, key=lambda each: each.idempotency_key) for _, messages in gateway.requests
    )
    assert first == second
    assert {state for state, _ in states_of(campaign)} == {"ACCEPTED"}


def test_slow_down_is_obeyed_by_every_worker_and_loses_nobody(tenant, gateway):
    campaign = make_started(make_recipient())
    gateway.throttle_next(retry_after_seconds=60)

    send_all()
    send_all()

    assert len(gateway.requests) == 1
    assert campaign.deliveries.get().state == DeliveryState.PENDING
    assert campaign.deliveries.get().attempts == 0
    assert SendingHold.objects.get().until > timezone.now() + timedelta(seconds=55)
    overdue()
    send_all()
    assert len(gateway.inbox) == 1


def test_one_refused_does_not_touch_the_others(tenant, gateway):
    kept, refused = make_recipient(), make_recipient()
    campaign = make_started(kept, refused)
    gateway.refuse(refused.pk, Reason.INVALID_ADDRESS)

    send_all()

    delivery = campaign.deliveries.get(customer=refused)
    assert (delivery.state, delivery.reason) == (DeliveryState.REJECTED, DeliveryReason.NO_ADDRESS)
    assert delivery.error == "invalid_address"
    assert campaign.deliveries.get(customer=kept).state == DeliveryState.ACCEPTED
    campaign.refresh_from_db()
    assert (campaign.status, campaign.sent_count) == (CampaignStatus.COMPLETED, 1)


def test_a_template_that_vanishes_rejects_with_the_reason(tenant, gateway):
    campaign = make_started(make_recipient())
    prepare_run(campaign.runs.get().pk, timezone.now())
    Delivery.objects.update(template_id="gone")
    send_all()

    assert states_of(campaign) == [("REJECTED", "REJECTED")]
    assert campaign.deliveries.get().error == "unknown_template"


def test_consent_withdrawn_after_the_snapshot_is_heeded(tenant, gateway):
    stays, leaves = make_recipient(), make_recipient()
    campaign = make_started(stays, leaves)
    prepare_run(campaign.runs.get().pk, timezone.now())
    consent(leaves, email_opt_in=False)

    send_all()

    assert [message.to.customer_id for _, message in gateway.inbox] == [str(stays.pk)]
    assert states_of(campaign) == [("ACCEPTED", None), ("SUPPRESSED", "NO_CONSENT")]


def test_the_inactive_are_left_out_before_and_after_the_snapshot(tenant, gateway):
    stays, late, early = make_recipient(), make_recipient(), make_recipient(status="INACTIVE")
    campaign = make_started(stays, late, early)
    reach = count_reach(crowd=Crowd.of(campaign), channels=campaign.channels, now=timezone.now())
    prepare_run(campaign.runs.get().pk, timezone.now())
    CustomerProfile.objects.filter(pk=late.pk).update(status="INACTIVE")

    send_all()

    assert (reach.in_segment, reach.messages) == (3, 2)
    assert reach.channels[0].reasons == {DeliveryReason.INACTIVE: 1}
    assert [message.to.customer_id for _, message in gateway.inbox] == [str(stays.pk)]
    left_out = ("SUPPRESSED", "INACTIVE")
    assert states_of(campaign) == [("ACCEPTED", None), left_out, left_out]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("PENDING", "PENDING"),  # The absorbed profile's message is left out.
        ("ACCEPTED", "SUPPRESSED"),  # They heard already.
        ("UNKNOWN", "SUPPRESSED"),  # They may have heard already.
    ],
)
def test_two_profiles_found_to_be_one_hear_once(tenant, gateway, theirs, ours):
    survivor, absorbed = make_recipient(), make_recipient()
    campaign = make_started(survivor, absorbed)
    prepare_run(campaign.runs.get().pk, timezone.now())
    campaign.deliveries.filter(customer=absorbed).update(state=theirs)

    merge_profiles(survivor_id=survivor.pk, absorbed_id=absorbed.pk, actor=ACTOR)

    assert campaign.deliveries.get(customer=survivor).state == ours


def test_consent_withdrawn_after_a_lost_answer_is_only_asked_about(tenant, gateway):
    customer = make_recipient()
    campaign = make_started(customer)
    gateway.fail_next(after_accepting=False)
    send_all()
    consent(customer, email_opt_in=False)
    overdue()

    send_all()

    assert gateway.inbox == []
    assert states_of(campaign) == [("SUPPRESSED", "NO_CONSENT")]


def test_a_key_past_half_its_horizon_is_asked_for_and_not_repeated(tenant, gateway):
    campaign = make_started(make_recipient())
    gateway.fail_next(after_accepting=True)
    send_all()
    overdue(first_requested_at=timezone.now() - timedelta(hours=37))

    send_all()

    assert len(gateway.requests) == 1
    assert states_of(campaign) == [("ACCEPTED", None)]


def test_past_the_whole_horizon_not_known_proves_nothing(tenant, gateway):
    campaign = make_started(make_recipient())
    gateway.fail_next(after_accepting=False)
    send_all()
    overdue(first_requested_at=timezone.now() - timedelta(hours=73))

    send_all()

    assert len(gateway.requests) == 1
    assert states_of(campaign) == [("UNKNOWN", None)]


def test_what_keeps_failing_stops_and_stays_visible(tenant, gateway):
    campaign = make_started(make_recipient())

    for _ in range(30):
        gateway.fail_next(after_accepting=False)
        send_all()
        overdue()

    assert len(gateway.requests) == 8
    assert states_of(campaign) == [("REJECTED", "REJECTED")]
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.COMPLETED


def test_a_message_that_breaks_requests_ends_up_alone(tenant, gateway, monkeypatch):
    customers = [make_recipient() for _ in range(12)]
    poison = str(customers[5].pk)
    campaign = make_started(*customers)
    send = gateway.send_batch

    def refuse_poison(tenant_id, messages):
        if any(message.to.customer_id == poison for message in messages):
            raise MessagingRefused("Unreadable.", status_code=400)
        return send(tenant_id, messages)

    monkeypatch.setattr(gateway, "send_batch", refuse_poison)
    for _ in range(6):
        send_all()
        overdue()

    assert len(gateway.inbox) == 11
    assert campaign.deliveries.get(customer_id=poison).state == DeliveryState.REJECTED


def test_messages_of_a_killed_worker_go_out_in_full_company(tenant, gateway):
    campaign = make_started(*[make_recipient() for _ in range(20)])
    run = prepare_run(campaign.runs.get().pk, timezone.now())
    for _ in range(4):
        claim(run=run, tenant=tenant, now=timezone.now())  # And then the worker dies.
        overdue()

    send_all()

    assert [len(messages) for _, messages in gateway.requests] == [20]


def test_a_late_write_of_a_frozen_worker_is_refused(tenant, gateway):
    campaign = make_started(make_recipient())
    run = prepare_run(campaign.runs.get().pk, timezone.now())
    frozen = claim(run=run, tenant=tenant, now=timezone.now())
    overdue()  # Its lease is over …
    send_all()  # … and another worker sends.

    outcome = Outcome(frozen.items[0], DeliveryState.REJECTED, reason="REJECTED")
    written = record(
        token=frozen.token, campaign_id=campaign.pk, outcomes=[outcome], now=timezone.now()
    )

    assert written == 0
    assert states_of(campaign) == [("ACCEPTED", None)]
    assert len(gateway.inbox) == 1


def test_a_paused_campaign_claims_nothing_and_goes_on_after(tenant, gateway):
    campaign = make_started(make_recipient())
    pause_campaign(campaign_id=campaign.pk, actor=ACTOR)

    send_all()
    assert gateway.inbox == []
    resume_campaign(campaign_id=campaign.pk, actor=ACTOR)
    send_all()

    assert len(gateway.inbox) == 1


def test_a_cancelled_campaign_settles_what_is_under_way_and_sends_no_more(tenant, gateway):
    campaign = make_started(make_recipient(), make_recipient())
    gateway.fail_next(after_accepting=True)
    send_all()
    first = campaign.deliveries.first()
    Delivery.objects.exclude(pk=first.pk).update(
        state="PENDING", attempts=0, first_requested_at=None
    )
    cancel_campaign(campaign_id=campaign.pk, actor=ACTOR)
    overdue()

    send_all()

    assert len(gateway.requests) == 1
    assert states_of(campaign) == [("ACCEPTED", None), ("CANCELLED", "CANCELLED")]
    run = campaign.runs.get()
    assert run.status == RunStatus.CANCELLED
    assert run.completed_at is not None


def test_the_kill_switch_stops_a_club_and_lets_it_go_on(tenant, gateway):
    make_started(make_recipient())
    tenant.is_sending_enabled = False
    tenant.save()

    send_all()
    assert gateway.inbox == []
    tenant.is_sending_enabled = True
    tenant.save()
    send_all()

    assert len(gateway.inbox) == 1


def test_quiet_hours_wait_in_the_persons_own_zone(tenant, gateway):
    local = timezone.now().astimezone(tz=None)
    start, end = local - timedelta(hours=1), local + timedelta(hours=1)
    tenant.time_zone = "UTC"
    tenant.quiet_hours_start, tenant.quiet_hours_end = start.time(), end.time()
    tenant.save()
    here = make_recipient()
    far = make_recipient(time_zone="Pacific/Auckland")  # Half a day away.
    nowhere = make_recipient(time_zone="Not/AZone")
    campaign = make_started(here, far, nowhere)

    send_all()

    assert [message.to.customer_id for _, message in gateway.inbox] == [str(far.pk)]
    waiting = campaign.deliveries.get(customer=here)
    assert (waiting.state, waiting.reason) == ("PENDING", "QUIET_HOURS")
    assert abs(waiting.due_at - end) < timedelta(minutes=1)
    assert campaign.deliveries.get(customer=nowhere).reason == "QUIET_HOURS"


def test_the_frequency_cap_leaves_out_who_heard_enough(tenant, gateway):
    tenant.frequency_cap_count = 1
    tenant.save()
    customer, other = make_recipient(), make_recipient()
    make_started(customer)
    send_all()

    second = make_started(customer, other)
    send_all()

    assert len(gateway.sent_to(customer.pk)) == 1
    assert states_of(second) == [("ACCEPTED", None), ("SUPPRESSED", "CAPPED")]


def test_the_frequency_cap_holds_between_campaigns_under_way_together(tenant, gateway):
    tenant.frequency_cap_count = 1
    tenant.save()
    customer = make_recipient()
    for campaign in (make_started(customer), make_started(customer)):
        prepare_run(campaign.runs.get().pk, timezone.now())

    send_all()

    assert len(gateway.sent_to(customer.pk)) == 1


def test_another_club_is_neither_sent_to_nor_seen(tenant, other_tenant, gateway):
    with tenant_scope(other_tenant.pk):
        stranger = make_started(make_recipient())
    mine = make_started(make_recipient())

    send_all()

    assert {tenant_id for tenant_id, _ in gateway.inbox} == {tenant.pk}
    assert states_of(mine) == [("ACCEPTED", None)]
    with tenant_scope(other_tenant.pk):
        assert stranger.deliveries.count() == 0


def test_what_a_restored_backup_brings_back_late_is_not_sent(tenant, gateway):
    campaign = make_started(make_recipient())
    run = prepare_run(campaign.runs.get().pk, timezone.now())
    type(run).objects.update(occurrence_at=timezone.now() - timedelta(hours=37))

    send_all()

    assert gateway.inbox == []
    assert states_of(campaign) == [("SUPPRESSED", "EXPIRED")]
