"""Who is left out although they agreed, and the count that says so beforehand."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from campaigns.choices import DeliveryReason, QuietHoursPolicy
from campaigns.models import Delivery, FrequencyCap
from campaigns.services.audience import count_reach, find_people
from campaigns.services.claims import claim
from campaigns.services.crowd import Crowd
from campaigns.services.dispatch import send_due
from campaigns.services.lifecycle import pause_campaign, resume_campaign
from campaigns.services.preflight import preflight
from campaigns.services.runs import prepare_run
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import switch_sending
from tests.campaigns.builders import (
    ACTOR,
    make_campaign,
    make_recipient,
    make_segment,
    make_started,
    send_all,
    states_of,
)

pytestmark = pytest.mark.usefixtures("actor")
BOTH = [Channel.EMAIL, Channel.SMS]


def reach_of(campaign, now=None):
    return count_reach(
        crowd=Crowd.of(campaign), channels=list(campaign.channels), now=now or timezone.now(),
        campaign=campaign,
    )  # fmt: skip


def people_of(campaign, why, channel=Channel.EMAIL):
    return find_people(
        crowd=Crowd.of(campaign), channel=channel, why=why, now=timezone.now(), campaign=campaign
    )


def test_a_channel_has_a_cap_of_its_own_and_the_others_follow_the_club(tenant, gateway):
    tenant.frequency_cap_count = 1
    tenant.save()
    FrequencyCap.objects.create(channel=Channel.EMAIL, messages=2, days=7)
    FrequencyCap.objects.create(channel=Channel.PUSH, messages=None)
    customer = make_recipient(
        sms_opt_in=True, phone_number="+27825550101", push_opt_in=True, auth_user_id="a1"
    )
    everywhere = {"channels": [*BOTH, Channel.PUSH], "push_template_id": "reminder-push"}

    for _ in range(3):
        make_started(customer, **everywhere)
        send_all()

    heard = [message.channel for _, message in gateway.inbox]
    assert {channel: heard.count(channel) for channel in set(heard)} == {
        Channel.EMAIL: 2, Channel.SMS: 1, Channel.PUSH: 3,
    }  # fmt: skip


def test_the_cap_of_another_club_does_not_count(tenant, other_tenant, gateway):
    with tenant_scope(other_tenant.pk):
        FrequencyCap.objects.create(channel=Channel.EMAIL, messages=1, days=365)
    customer = make_recipient()

    for _ in range(2):
        make_started(customer)
        send_all()

    assert len(gateway.inbox) == 2


def test_what_was_asked_for_and_not_answered_counts_towards_the_cap(tenant, gateway):
    FrequencyCap.objects.create(channel=Channel.EMAIL, messages=1)
    customer = make_recipient()
    first, second = make_started(customer), make_started(customer)
    for campaign in (first, second):
        prepare_run(campaign.runs.get().pk, timezone.now())

    taken = [
        claim(run=campaign.runs.get(), tenant=tenant, now=timezone.now())
        for campaign in (first, second)
    ]

    assert [len(each.items) for each in taken] == [1, 0]
    assert states_of(second) == [("SUPPRESSED", "CAPPED")]


def test_who_was_sent_enough_and_opened_none_is_left_out(tenant, gateway):
    tenant.unengaged_message_count, tenant.unengaged_days = 2, 30
    tenant.save()
    silent, opens, new = make_recipient(), make_recipient(), make_recipient()
    for _ in range(2):
        make_started(silent, opens)
        send_all()
    type(opens).objects.filter(pk=opens.pk).update(last_email_open_at=timezone.now())

    third = make_started(silent, opens, new)
    shown = reach_of(third)
    listed = people_of(third, DeliveryReason.SUPPRESSED)
    send_all()

    assert shown.channels[0].reasons == {"SUPPRESSED": 1}
    assert listed == [silent.pk]
    assert states_of(third) == [
        ("ACCEPTED", None), ("ACCEPTED", None), ("SUPPRESSED", "SUPPRESSED"),
    ]  # fmt: skip


def test_an_opening_long_ago_does_not_save_from_that(tenant, gateway):
    tenant.unengaged_message_count, tenant.unengaged_days = 1, 30
    tenant.save()
    customer = make_recipient(last_email_open_at=timezone.now() - timedelta(days=31))
    make_started(customer)
    send_all()

    second = make_started(customer, make_recipient())
    send_all()

    assert states_of(second) == [("ACCEPTED", None), ("SUPPRESSED", "SUPPRESSED")]


def test_the_hold_out_is_its_share_and_the_same_people_each_time(tenant, gateway):
    people = [make_recipient() for _ in range(60)]
    segment = make_segment(*people)
    campaign = make_campaign(
        segment=segment, hold_out_percent=20, type="RECURRING", recur_pattern="0 9 * * *",
        status="ACTIVE",
    )  # fmt: skip
    held = []
    shown = reach_of(campaign)
    for days in (0, 1):
        run = campaign.runs.create(occurrence_at=timezone.now() + timedelta(days=days))
        prepare_run(run.pk, timezone.now())
        rows = run.deliveries.filter(reason=DeliveryReason.HELD_OUT)
        held.append(sorted(rows.values_list("customer_id", flat=True)))

    assert 4 <= len(held[0]) <= 22  # A fifth of sixty, give or take four standard deviations.
    assert held[0] == held[1] == people_of(campaign, DeliveryReason.HELD_OUT)
    assert shown.channels[0].reasons == {"HELD_OUT": len(held[0])}
    assert shown.messages == 60 - len(held[0])


def test_somebody_held_out_is_held_out_of_every_channel(tenant, gateway):
    people = [make_recipient(sms_opt_in=True, phone_number=f"+278255501{n:02}") for n in range(20)]
    campaign = make_started(*people, channels=BOTH, hold_out_percent=50)

    send_all()

    out = Delivery.objects.filter(reason=DeliveryReason.HELD_OUT, campaign=campaign)
    by_channel = [
        set(out.filter(channel=channel).values_list("customer_id", flat=True)) for channel in BOTH
    ]
    assert by_channel[0] == by_channel[1] != set()


def test_quiet_hours_leave_out_where_the_campaign_does_not_wait(tenant, gateway):
    local = timezone.now()
    tenant.time_zone = "UTC"
    tenant.quiet_hours_start = (local - timedelta(hours=1)).time()
    tenant.quiet_hours_end = (local + timedelta(hours=1)).time()
    tenant.save()
    far = make_recipient(time_zone="Pacific/Auckland")  # Half a day away.
    campaign = make_started(
        make_recipient(), far, quiet_hours_policy=QuietHoursPolicy.SKIP
    )  # fmt: skip

    shown = reach_of(campaign)
    send_all()

    assert shown.channels[0].reasons == {"QUIET_HOURS": 1}
    assert people_of(campaign, None) == [far.pk]
    assert states_of(campaign) == [("ACCEPTED", None), ("SUPPRESSED", "QUIET_HOURS")]


def test_the_numbers_of_a_channel_add_up_and_are_what_is_sent(tenant, gateway):
    FrequencyCap.objects.create(channel=Channel.EMAIL, messages=1)
    heard = make_recipient()
    make_started(heard)
    send_all()
    gateway.inbox.clear()
    people = [
        heard, make_recipient(email=None), make_recipient(email_opt_in=False),
        make_recipient(status="INACTIVE"), *(make_recipient() for _ in range(6)),
    ]  # fmt: skip
    campaign = make_started(*people, hold_out_percent=30)

    shown = reach_of(campaign)
    (channel,) = shown.channels
    listed = {why: people_of(campaign, DeliveryReason(why)) for why in channel.reasons}
    reached = people_of(campaign, None)
    send_all()

    assert channel.reachable + sum(channel.reasons.values()) == shown.in_segment == 10
    assert {m.to.customer_id for _, m in gateway.inbox} == {str(pk) for pk in reached}
    assert len(reached) == channel.reachable
    for why, count in channel.reasons.items():
        rows = campaign.deliveries.filter(reason=why).order_by("customer_id")
        assert list(rows.values_list("customer_id", flat=True)) == listed[why]
        assert len(listed[why]) == count


def test_people_behind_a_number_come_in_pages(tenant):
    people = sorted(make_recipient().pk for _ in range(5))
    campaign = make_campaign(segment=make_segment())
    campaign.segment.memberships.model.objects.bulk_create(
        campaign.segment.memberships.model(segment=campaign.segment, customer_id=pk)
        for pk in people
    )
    ask = {"crowd": Crowd.of(campaign), "channel": "EMAIL", "why": None, "now": timezone.now()}

    first = find_people(**ask, limit=3)
    second = find_people(**ask, limit=3, after=first[-1])

    assert first + second == people


def test_a_campaign_that_goes_slowly_spreads_its_messages_over_the_hour(tenant, gateway, settings):
    settings.DELIVERY_LEASE_SECONDS = 36_000  # Nobody answers; do not ask again meanwhile.
    now = timezone.now()
    campaign = make_started(*(make_recipient() for _ in range(5)), messages_per_hour=120)
    run = prepare_run(campaign.runs.get().pk, now)

    def taken_after(seconds):
        run.refresh_from_db()
        moment = now + timedelta(seconds=seconds)
        return len(claim(run=run, tenant=tenant, now=moment).items)

    assert [taken_after(s) for s in (1, 2, 60, 61.5, 120, 122)] == [2, 0, 0, 2, 0, 1]


def test_no_hour_gets_more_than_its_number(tenant, gateway, settings):
    settings.DELIVERY_LEASE_SECONDS = 36_000
    now = timezone.now()
    campaign = make_started(*(make_recipient() for _ in range(9)), messages_per_hour=4)
    run = prepare_run(campaign.runs.get().pk, now)
    times = []
    for minutes in range(0, 130, 5):
        run.refresh_from_db()
        moment = now + timedelta(minutes=minutes, seconds=1)
        times += [minutes] * len(claim(run=run, tenant=tenant, now=moment).items)

    assert len(times) == 9
    assert all(sum(start <= t < start + 60 for t in times) <= 4 for start in range(0, 130, 5))


def test_the_switch_of_the_installation_stops_every_club_at_the_next_claim(
    tenant, other_tenant, gateway
):
    campaign = make_started(make_recipient())
    with tenant_scope(other_tenant.pk):
        make_started(make_recipient())
    call_command("switch_sending", "off", "--reason", "Wrong prices", stdout=StringIO())

    for each in (tenant, other_tenant):
        with tenant_scope(each.pk):
            send_due(each.pk, seconds=5)
    assert gateway.inbox == []
    words = [finding.message for finding in preflight(campaign, now=timezone.now()).findings]
    assert "Sending is switched off for every club. Wrong prices" in words
    call_command("switch_sending", "on", stdout=StringIO())
    for each in (tenant, other_tenant):
        with tenant_scope(each.pk):
            send_due(each.pk, seconds=5)

    assert {tenant_id for tenant_id, _ in gateway.inbox} == {tenant.pk, other_tenant.pk}


def test_a_switch_thrown_between_two_batches_holds_for_the_second(tenant, gateway, monkeypatch):
    monkeypatch.setattr("campaigns.services.claims.BATCH_LIMIT", 2)
    monkeypatch.setattr(claim, "__kwdefaults__", {"limit": 2})
    make_started(*(make_recipient() for _ in range(6)))
    send_batch = gateway.send_batch

    def send_and_stop(tenant_id, messages):
        switch_sending(is_enabled=False)
        return send_batch(tenant_id, messages)

    monkeypatch.setattr(gateway, "send_batch", send_and_stop)

    send_all()

    assert len(gateway.inbox) == 2


@pytest.mark.parametrize("switch", ["club", "installation", "pause"])
def test_what_was_off_for_too_long_does_not_flood_when_it_is_on_again(tenant, gateway, switch):
    old, new = make_started(make_recipient()), make_started(make_recipient())
    for campaign in (old, new):
        prepare_run(campaign.runs.get().pk, timezone.now())
    tenant.is_sending_enabled = switch != "club"
    tenant.save()
    switch_sending(is_enabled=switch != "installation")
    if switch == "pause":
        pause_campaign(campaign_id=old.pk, actor=ACTOR)
        pause_campaign(campaign_id=new.pk, actor=ACTOR)
    send_all()
    assert gateway.inbox == []
    two_days_ago = timezone.now() - timedelta(days=2)
    old.runs.update(occurrence_at=two_days_ago)
    old.deliveries.update(due_at=two_days_ago)

    tenant.is_sending_enabled = True
    tenant.save()
    switch_sending(is_enabled=True)
    if switch == "pause":
        resume_campaign(campaign_id=old.pk, actor=ACTOR)
        resume_campaign(campaign_id=new.pk, actor=ACTOR)
    send_all()

    assert states_of(old) == [("SUPPRESSED", "EXPIRED")]
    assert states_of(new) == [("ACCEPTED", None)]
