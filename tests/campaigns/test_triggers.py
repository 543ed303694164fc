"""A message that answers something that happened to a customer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns import tasks
from campaigns.choices import CampaignStatus, FiringReason, FiringState, RunStatus
from campaigns.models import Campaign, Delivery, TriggerFiring
from campaigns.services import lifecycle
from campaigns.services.triggers import fire_due, note_events
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, CustomerProfile
from customers.services.activities import create_activity
from customers.services.erasure import erase_profile
from customers.services.merging import merge_profiles
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient, make_segment, send_all

pytestmark = pytest.mark.usefixtures("actor", "gateway", "silent_bell")


def make_triggered(**values) -> Campaign:
    defaults = {
        "type": "TRIGGERED", "trigger_event_type": "TEETIME_BOOKED", "segment": None,
        "name": "Thank you for booking",
    }  # fmt: skip
    campaign = make_campaign(**(defaults | values))
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    Campaign.objects.filter(pk=campaign.pk).update(started_at=timezone.now() - timedelta(days=30))
    campaign.refresh_from_db()
    return campaign


def book(customer, *, ago=timedelta(), kind="TEETIME_BOOKED", **values) -> Activity:
    return create_activity(
        customer_id=customer.pk,
        actor=ACTOR,
        occurred_at=timezone.now() - ago,
        **({"type": kind, "category": "BOOKING", "title": "Booked"} | values),
    )


def fire(*, after=timedelta()) -> int:
    return fire_due(now=timezone.now() + after, actor=ACTOR)


def answers(campaign) -> list[tuple[str, str | None]]:
    return list(campaign.firings.order_by("due_at", "pk").values_list("state", "reason"))


FIRED = (FiringState.FIRED, None)


def test_an_event_leads_to_a_message(tenant, other_tenant, gateway):
    ann, campaign = make_recipient(email="ann@example.com"), make_triggered()
    with tenant_scope(other_tenant.pk):
        make_triggered()

    book(ann)
    assert tasks.start_due() == 0
    send_all()

    delivery = campaign.deliveries.get()
    assert (delivery.customer, delivery.state) == (ann, "ACCEPTED")
    campaign.refresh_from_db()
    assert (campaign.target_count, campaign.sent_count, campaign.status) == (1, 1, "ACTIVE")
    assert campaign.runs.get().target_count == 1
    with tenant_scope(other_tenant.pk):
        assert not TriggerFiring.objects.exists()


def test_other_events_lead_to_none(tenant):
    ann, campaign = make_recipient(), make_triggered()

    book(ann, kind="ROUND_PLAYED")

    assert (fire(), answers(campaign)) == (0, [])


def test_it_waits_for_its_delay(tenant):
    ann, campaign = make_recipient(), make_triggered(trigger_delay_minutes=60)
    book(ann)

    early = fire(after=timedelta(minutes=59))
    on_time = fire(after=timedelta(minutes=61))

    assert (early, on_time, answers(campaign)) == (0, 1, [FIRED])


def test_the_same_event_leads_to_one_message_however_often_it_is_told(tenant):
    ann, campaign = make_recipient(), make_triggered()
    activity = book(ann)

    fired = [fire(), fire()]
    with pytest.raises(IntegrityError, match="firing_once"), transaction.atomic():
        note_events([activity], now=timezone.now())

    assert fired == [1, 0]
    assert campaign.deliveries.count() == 1


def test_nobody_hears_again_within_the_days(tenant):
    ann, ben = make_recipient(), make_recipient()
    campaign = make_triggered(trigger_once_days=3)
    book(ann)
    book(ann)
    book(ben)
    fire()
    book(ann)

    fire()

    recent = (FiringState.SKIPPED, FiringReason.RECENT)
    assert sorted(answers(campaign), key=str) == sorted([FIRED, recent, FIRED, recent], key=str)
    assert campaign.deliveries.count() == 2


def test_after_the_days_the_same_person_hears_again_in_another_run(tenant):
    ann, campaign = make_recipient(), make_triggered()
    book(ann)
    book(ann, ago=timedelta(hours=-25))

    fire()
    fire(after=timedelta(hours=26))

    assert campaign.deliveries.count() == 2
    assert campaign.runs.count() == 2


def test_an_event_told_too_late_is_not_answered(tenant):
    ann, campaign = make_recipient(), make_triggered(late_limit_minutes=120)

    book(ann, ago=timedelta(minutes=119))
    book(ann, ago=timedelta(minutes=121))

    assert (campaign.firings.count(), fire()) == (1, 1)


def test_events_before_its_start_are_not_answered(tenant):
    ann, campaign = make_recipient(), make_triggered()
    Campaign.objects.update(started_at=timezone.now())

    book(ann, ago=timedelta(minutes=5))

    assert not campaign.firings.exists()


CONDITIONS = [
    ({"field": "event.metadata.players", "operator": "greaterThan", "value": 2}, True),
    ({"field": "event.metadata.players", "operator": "greaterThan", "value": 4}, False),
    ({"field": "event.metadata.players", "operator": "in", "value": [3, 4]}, True),
    ({"field": "event.metadata.course.name", "operator": "equals", "value": "EAST"}, True),
    ({"field": "event.metadata.course.name", "operator": "equals", "value": "West"}, False),
    ({"field": "event.metadata.course.name", "operator": "greaterThan", "value": 3}, False),
    ({"field": "event.metadata.isPaid", "operator": "isTrue"}, True),
    ({"field": "event.metadata.isPaid", "operator": "isFalse"}, False),
    ({"field": "event.metadata.teeTime", "operator": "withinNext",
      "value": {"amount": 3, "unit": "days"}}, True),
    ({"field": "event.metadata.teeTime", "operator": "after", "value": "2020-01-01"}, True),
    ({"field": "event.metadata.course", "operator": "withinNext",
      "value": {"amount": 3, "unit": "days"}}, False),
    ({"field": "event.metadata.nothing", "operator": "isNull"}, True),
    ({"field": "event.metadata.nothing", "operator": "notEquals", "value": "x"}, True),
    ({"field": "event.channel", "operator": "equals", "value": "web"}, True),
    ({"field": "event.category", "operator": "equals", "value": "BOOKING"}, True),
    ({"field": "event.title", "operator": "contains", "value": "ook"}, True),
    ({"field": "event.occurredAt", "operator": "withinLast",
      "value": {"amount": 1, "unit": "hours"}}, True),
    ({"field": "membershipTier", "operator": "equals", "value": "Gold"}, True),
    ({"field": "membershipTier", "operator": "equals", "value": "Silver"}, False),
    ({"activity": {"type": "TEETIME_BOOKED"}, "operator": "countAtLeast", "value": 2}, False),
    ({"activity": {"type": "ROUND_PLAYED"}, "operator": "countExactly", "value": 0,
      "within": {"amount": 7, "unit": "days"}}, True),
    ({"combinator": "OR", "negate": True, "rules": [
        {"field": "event.metadata.players", "operator": "lessThan", "value": 2},
        {"field": "membershipTier", "operator": "equals", "value": "Silver"}]}, True),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "holds"), CONDITIONS)
def test_conditions_ask_about_the_event_and_the_customer(tenant, rule, holds):
    ann = make_recipient(membership_tier="Gold")
    campaign = make_triggered(trigger_conditions={"combinator": "AND", "rules": [rule]})
    tee_time = (timezone.now() + timedelta(days=2)).isoformat()
    book(
        ann,
        channel="WEB",
        metadata={"players": 3, "course": {"name": "East"}, "isPaid": True, "teeTime": tee_time},
    )

    fired = fire()

    assert fired == holds
    assert answers(campaign) == [FIRED if holds else ("SKIPPED", "NOT_MATCHED")]


@pytest.mark.parametrize(
    ("conditions", "path"),
    [
        ({"combinator": "AND", "rules": []}, "rules"),
        ({"combinator": "AND", "rules": [{"field": "event.shoeSize"}]}, "rules[0].field"),
        ({"combinator": "AND", "rules": [{"field": "event.metadata.", "operator": "isNull"}]},
         "rules[0].field"),
        ({"combinator": "AND", "rules": [
            {"field": "event.metadata.players", "operator": "contains", "value": 2}]},
         "rules[0].operator"),
    ],
)  # fmt: skip
def test_conditions_that_cannot_be_read_keep_it_from_starting(tenant, conditions, path):
    with pytest.raises(lifecycle.DomainError) as refused:
        make_triggered(trigger_conditions=conditions)

    assert refused.value.path == "trigger_conditions"
    assert refused.value.message.startswith(f"{path}:")


def test_a_segment_narrows_who_is_answered(tenant):
    ann, ben = make_recipient(), make_recipient()
    campaign = make_triggered(segment=make_segment(ann))
    book(ann)
    book(ben)

    assert fire() == 1
    assert set(answers(campaign)) == {FIRED, ("SKIPPED", "NOT_IN_SEGMENT")}


def test_conditions_that_break_stop_their_campaign_and_no_other(tenant):
    segment = make_segment()
    rule = {"field": "segment", "operator": "in", "value": [str(segment.pk)]}
    broken = make_triggered(trigger_conditions={"combinator": "AND", "rules": [rule]})
    sound = make_triggered(name="Sound")
    segment.deleted_at = timezone.now()
    segment.save()
    book(make_recipient())

    assert fire() == 1

    broken.refresh_from_db()
    assert broken.status == CampaignStatus.PAUSED
    assert "rules[0].value" in broken.stopped_reason
    assert answers(sound) == [FIRED]
    assert answers(broken) == [("WAITING", None)]


class TestPausing:
    def test_events_wait_and_go_on_when_resumed(self, tenant):
        ann, campaign = make_recipient(), make_triggered()
        lifecycle.pause_campaign(campaign_id=campaign.pk, actor=ACTOR)
        book(ann)

        paused = fire()
        lifecycle.resume_campaign(campaign_id=campaign.pk, actor=ACTOR)

        assert (paused, fire()) == (0, 1)

    def test_what_grew_old_meanwhile_is_left_out(self, tenant):
        ann, campaign = make_recipient(), make_triggered()
        book(ann)
        fire()
        book(make_recipient())
        lifecycle.pause_campaign(campaign_id=campaign.pk, actor=ACTOR)
        long_ago = timezone.now() - timedelta(hours=25)
        campaign.firings.waiting().update(due_at=long_ago)
        campaign.deliveries.update(planned_at=long_ago)

        lifecycle.resume_campaign(campaign_id=campaign.pk, actor=ACTOR)

        assert fire() == 0
        assert set(answers(campaign)) == {FIRED, ("SKIPPED", "LATE")}
        assert campaign.deliveries.get().reason == "EXPIRED"

    def test_cancelling_answers_nothing_more(self, tenant):
        campaign = make_triggered()
        book(make_recipient())

        lifecycle.cancel_campaign(campaign_id=campaign.pk, actor=ACTOR)

        assert (fire(), answers(campaign)) == (0, [("SKIPPED", "CANCELLED")])


class TestPeopleWhoChange:
    def test_of_two_who_are_one_one_hears_once(self, tenant):
        ann, twin = make_recipient(), make_recipient()
        campaign = make_triggered(trigger_delay_minutes=10)
        book(ann)
        book(twin)
        merge_profiles(survivor_id=ann.pk, absorbed_id=twin.pk, actor=ACTOR)

        assert fire(after=timedelta(minutes=11)) == 1

        assert campaign.deliveries.get().customer == ann
        assert set(answers(campaign)) == {FIRED, ("SKIPPED", "RECENT")}

    def test_nobody_erased_is_answered(self, tenant):
        ann, campaign = make_recipient(), make_triggered(trigger_delay_minutes=10)
        book(ann)
        erase_profile(customer_id=ann.pk, actor=ACTOR, reason="REQUEST")

        assert fire(after=timedelta(minutes=11)) == 0
        assert not campaign.deliveries.exists()

    def test_without_consent_there_is_a_row_with_the_reason(self, tenant):
        campaign = make_triggered()
        book(make_recipient(email_opt_in=False))

        fire()

        assert campaign.deliveries.get().reason == "NO_CONSENT"


def test_many_events_cost_a_few_statements(tenant, django_assert_max_num_queries):
    campaign = make_triggered(
        trigger_conditions={
            "combinator": "AND",
            "rules": [{"field": "event.title", "operator": "equals", "value": "Booked"}],
        }
    )
    now = timezone.now()
    people = [CustomerProfile(email=f"p{n}@example.com") for n in range(200)]
    CustomerProfile.objects.bulk_create(people)
    activities = [
        Activity(customer=each, type="TEETIME_BOOKED", category="BOOKING", title="Booked",
                 source_service="crm", occurred_at=now)
        for each in people
    ]  # fmt: skip
    Activity.objects.bulk_create(activities)

    with django_assert_max_num_queries(2):
        note_events(activities, now=now)
    with django_assert_max_num_queries(45):
        assert fire() == 200

    assert campaign.deliveries.count() == 200


def test_it_ends_with_its_last_event(tenant):
    ann, campaign = make_recipient(), make_triggered(trigger_delay_minutes=10)
    book(ann)
    Campaign.objects.update(recur_end_at=timezone.now())

    fire()
    campaign.refresh_from_db()
    while_waiting = campaign.status
    campaign.firings.update(due_at=timezone.now())
    fire()
    send_all()
    fire()

    campaign.refresh_from_db()
    assert while_waiting == CampaignStatus.ACTIVE
    assert campaign.status == CampaignStatus.COMPLETED
    assert campaign.runs.get().status == RunStatus.COMPLETED
    assert Delivery.objects.get().state == "ACCEPTED"
