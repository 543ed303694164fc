"""What a campaign was for: who did it, counted once, and what would have come anyway."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.choices import Dimension
from campaigns.models import Campaign, CampaignInteraction, CampaignResults, Delivery
from campaigns.services.breakdowns import breakdown
from campaigns.services.confidence import Group, difference_interval, measure_uplift
from campaigns.services.results import refresh_due_results, refresh_results
from campaigns.services.statistics import rebuild_statistics
from campaigns.sync_handlers import record_message_events
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity
from tests.campaigns.builders import make_recipient, make_started, send_all
from tests.campaigns.test_interactions import about, figures

pytestmark = pytest.mark.usefixtures("actor")
GOAL = {"goal_activity_type": "TEETIME_BOOKED", "goal_days": 7, "goal_has_revenue": True}


def did(customer, *, days=1.0, type="TEETIME_BOOKED", **metadata):
    """The customer did something so many days after now, which is when messages went out."""
    return Activity.objects.create(
        customer=customer,
        type=type,
        category="BOOKING",
        title="Booked",
        source_service="teetime",
        metadata=metadata or None,
        occurred_at=timezone.now() + timedelta(days=days),
    )


@pytest.fixture
def people(tenant, gateway):
    return [make_recipient(membership_tier=tier) for tier in ("Full", "Full", None)]


@pytest.fixture
def sent(people):
    campaign = make_started(*people, **GOAL)
    send_all()
    return campaign


def converted(campaign):
    rows = campaign.interactions.filter(type="CONVERTED")
    return set(rows.values_list("customer_id", "amount"))


def test_what_people_did_within_the_days_counts_once_a_message(sent, people):
    first, second, third = people
    did(first, days=1, price=45_000)
    did(first, days=2, price=30_000)
    did(second, days=8)
    did(second, days=-1)
    did(third, days=3, type="ROUND_PLAYED")

    refresh_results(sent.pk)

    assert converted(sent) == {(first.pk, 75_000)}
    found = figures(sent)
    assert (found["converted_count"], found["conversion_rate"]) == (1, None)
    rebuild_statistics(sent.pk)
    assert figures(sent) == found


def test_adding_up_again_changes_nothing_and_follows_what_comes_late(sent, people):
    did(people[0])
    refresh_results(sent.pk)
    before = list(CampaignInteraction.objects.values_list("pk", "occurred_at"))

    refresh_results(sent.pk)
    assert list(CampaignInteraction.objects.values_list("pk", "occurred_at")) == before

    did(people[1])
    refresh_results(sent.pk)
    assert figures(sent)["converted_count"] == 2


def test_a_goal_that_is_changed_or_taken_away_takes_its_conversions_along(sent, people):
    did(people[0])
    refresh_results(sent.pk)

    Campaign.objects.filter(pk=sent.pk).update(goal_activity_type="ROUND_PLAYED")
    refresh_results(sent.pk)
    assert figures(sent)["converted_count"] == 0

    did(people[0], type="ROUND_PLAYED")
    refresh_results(sent.pk)
    assert figures(sent)["converted_count"] == 1
    Campaign.objects.filter(pk=sent.pk).update(goal_activity_type=None)
    refresh_results(sent.pk)
    assert figures(sent)["converted_count"] == 0


def test_one_booking_after_two_messages_is_one_conversion(tenant, gateway):
    both = make_recipient(sms_opt_in=True, phone_number="+27825550101")
    campaign = make_started(both, channels=[Channel.EMAIL, Channel.SMS], **GOAL)
    send_all()
    did(both)

    refresh_results(campaign.pk)

    assert figures(campaign)["converted_count"] == 1


def test_breakdowns_add_up_to_the_counters(sent, people):
    deliveries = {row.customer_id: row for row in sent.deliveries.all()}
    record_message_events(
        [about(each, "delivered") for each in deliveries.values()]
        + [
            about(deliveries[people[0].pk], "opened", deviceType="mobile"),
            about(deliveries[people[0].pk], "opened", deviceType="desktop"),
            about(
                deliveries[people[0].pk], "clicked", deviceType="mobile", linkUrl="https://x.test"
            ),
        ]
    )
    did(people[2], price=1_000)

    refresh_results(sent.pk)

    found = figures(sent)
    for dimension in (Dimension.CHANNEL, Dimension.TEMPLATE, Dimension.TIER):
        rows = breakdown(sent.pk, dimension)
        for name in ("sent", "delivered", "opened", "clicked", "converted"):
            assert sum(getattr(row, name) for row in rows) == found[f"{name}_count"], dimension
    tiers = {row.value: (row.sent, row.opened) for row in breakdown(sent.pk, Dimension.TIER)}
    assert tiers == {"Full": (2, 1), "": (1, 0)}
    devices = {row.value: row.opened for row in breakdown(sent.pk, Dimension.DEVICE)}
    assert devices == {"mobile": 1, "desktop": 1}
    assert [(row.value, row.clicked) for row in breakdown(sent.pk, Dimension.LINK)] == [
        ("https://x.test", 1)
    ]
    hours = {row.value: row.delivered for row in breakdown(sent.pk, Dimension.HOUR)}
    assert hours["0"] == 3
    assert CampaignResults.objects.get(campaign=sent).revenue == 1_000


def test_people_held_out_are_counted_beside_those_reached(sent, people):
    held_out = make_recipient()
    run = sent.runs.get()
    Delivery.objects.create(
        campaign=sent, run=run, customer=held_out, channel="EMAIL", state="SUPPRESSED",
        reason="HELD_OUT", idempotency_key="held", due_at=timezone.now(),
        settled_at=timezone.now(),
    )  # fmt: skip
    for person in (people[0], held_out):
        did(person)

    results = refresh_results(sent.pk)

    assert (results.reached_people, results.reached_converted) == (3, 1)
    assert (results.held_out_people, results.held_out_converted) == (1, 1)


def test_the_tick_adds_up_what_changed_and_nothing_else(sent, people):
    now = timezone.now()
    later = now + timedelta(minutes=5)

    assert refresh_due_results(now) == 1
    assert refresh_due_results(later) == 0
    record_message_events([about(sent.deliveries.first(), "delivered")])
    assert refresh_due_results(later) == 1
    # A booking is no event of the campaign's: it is looked for now and then.
    did(people[0])
    assert refresh_due_results(now + timedelta(hours=1)) == 1
    assert figures(sent)["converted_count"] == 1


def test_nothing_is_counted_of_another_club(sent, people, other_tenant, gateway):
    with tenant_scope(other_tenant.pk):
        stranger = make_recipient()
        theirs = make_started(stranger, **GOAL)
        send_all()
        did(stranger)
        refresh_results(theirs.pk)
        assert figures(theirs)["converted_count"] == 1

    refresh_results(sent.pk)

    assert figures(sent)["converted_count"] == 0
    assert refresh_due_results(timezone.now()) == 0


# Newcombe 1998, table II, method 10: its cases (a), (b) and (d).
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ],
)
def test_the_range_is_newcombes(one, other, expected):
    groups = (Group(people, hits) for hits, people in (one, other))

    assert difference_interval(*groups) == pytest.approx(expected, abs=1e-4)


def test_too_little_is_said_to_be_too_little():
    assert measure_uplift(Group(500, 40), Group(12, 1)) is None
    assert measure_uplift(Group(500, 2), Group(100, 1)) is None
    told = measure_uplift(Group(1000, 120), Group(1000, 80))
    assert told is not None
    assert told.is_certain
    assert told.low < told.extra == 40 < told.high
