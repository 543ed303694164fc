"""Everybody hears when it is that time where they are."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.choices import CampaignStatus, DeliveryState
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.services import lifecycle
from campaigns.services.due_times import opens_at, same_clock
from campaigns.services.recurring import open_due_runs
from campaigns.services.runs import prepare_run
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient

JOHANNESBURG = "Africa/Johannesburg"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("Pacific/Kiritimati", "2026-03-28T19:00"),
        ("Africa/Johannesburg", "2026-03-29T07:00"),
        ("Europe/London", "2026-03-29T08:00"),  # The clocks went forward that night.
        ("America/Los_Angeles", "2026-03-29T16:00"),
        ("Asia/Kathmandu", "2026-03-29T03:15"),
    ],
)
def test_nine_by_one_clock_is_nine_by_every_other(there, expected):
    assert same_clock(at("2026-03-29T07:00"), JOHANNESBURG, there) == at(expected)


@pytest.mark.parametrize(
    ("clock", "there", "expected"),
    [
        # 01:30 does not exist in London on 29 March: an hour later, at 02:30.
        ("2026-03-28T23:30", "Europe/London", "2026-03-29T01:30"),
        # 01:30 comes twice in London on 25 October: the first.
        ("2026-10-24T23:30", "Europe/London", "2026-10-25T00:30"),
        ("2026-10-04T00:30", "Australia/Sydney", "2026-10-03T16:30"),  # 02:30 is skipped there.
    ],
)
def test_times_that_clocks_skip_or_repeat(clock, there, expected):
    assert same_clock(at(clock), JOHANNESBURG, there) == at(expected)


def planned(campaign, now, people, **values):
    """The due times that a run gives these people, by their zone."""
    run = CampaignRun.objects.create(
        campaign=campaign, occurrence_at=values.pop("occurrence_at", now), created_by=ACTOR.id
    )
    assert prepare_run(run.pk, now)
    rows = Delivery.objects.filter(run=run)
    return {row.customer.time_zone: (row.due_at, row.state, row.reason) for row in rows}


@pytest.mark.usefixtures("actor", "gateway")
class TestARun:
    @pytest.fixture
    def people(self, tenant):
        tenant.time_zone = JOHANNESBURG
        tenant.save()
        zones = ("Pacific/Auckland", "America/Los_Angeles", "Not/AZone", None)
        return [make_recipient(time_zone=zone) for zone in zones]

    def campaign(self, people, **values):
        return make_campaign(
            *people, send_in_own_zone=True, timezone=JOHANNESBURG, status="ACTIVE", **values
        )

    def test_is_due_for_each_at_their_hour_and_else_at_the_clubs(self, people):
        nine = at("2026-05-05T07:00")
        campaign = self.campaign(people)

        found = planned(campaign, nine - timedelta(hours=12), people, occurrence_at=nine)

        pending = DeliveryState.PENDING
        assert found == {
            "Pacific/Auckland": (at("2026-05-04T21:00"), pending, None),
            "America/Los_Angeles": (at("2026-05-05T16:00"), pending, None),
            "Not/AZone": (nine, pending, None),
            None: (nine, pending, None),
        }

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [("SEND", (DeliveryState.PENDING, None)), ("SKIP", ("SUPPRESSED", "HOUR_PASSED"))],
    )
    def test_an_hour_that_has_passed_is_the_campaigns_choice(self, people, choice, expected):
        nine = at("2026-05-05T07:00")
        campaign = self.campaign(people, passed_hour=choice)

        found = planned(campaign, nine, people)

        assert found["Pacific/Auckland"] == (nine, *expected)
        assert found[None] == (nine, DeliveryState.PENDING, None)

    def test_an_hour_that_passed_just_now_is_no_passed_hour(self, people):
        nine = at("2026-05-05T07:00")
        campaign = self.campaign(people, passed_hour="SKIP")

        found = planned(campaign, nine + timedelta(minutes=20), people, occurrence_at=nine)

        assert found[None] == (nine + timedelta(minutes=20), DeliveryState.PENDING, None)


@pytest.mark.usefixtures("actor", "gateway")
class TestStarting:
    def test_begins_when_it_is_that_time_first_anywhere(self, tenant, other_tenant):
        nine = (datetime.now(UTC) + timedelta(days=3)).replace(hour=7, minute=0, second=0)
        nine = nine.replace(microsecond=0)
        campaign = make_campaign(make_recipient(), send_in_own_zone=True, timezone=JOHANNESBURG)
        lifecycle.schedule_campaign(campaign_id=campaign.pk, actor=ACTOR, scheduled_at=nine)
        campaign.refresh_from_db()
        first = opens_at(campaign, nine)

        assert first == nine - timedelta(hours=12)
        early = lifecycle.start_due_campaign(
            campaign_id=campaign.pk, now=first - timedelta(seconds=1), actor=ACTOR
        )
        run = lifecycle.start_due_campaign(campaign_id=campaign.pk, now=first, actor=ACTOR)

        assert early is None
        assert run.occurrence_at == nine
        with tenant_scope(other_tenant.pk):
            assert not CampaignRun.objects.exists()

    def test_repeats_open_as_early_and_once(self, tenant):
        campaign = make_campaign(
            make_recipient(),
            type="RECURRING", recur_pattern="0 9 * * *", timezone=JOHANNESBURG,
            send_in_own_zone=True, status=CampaignStatus.ACTIVE,
            started_at=at("2026-05-04T12:00"),
        )  # fmt: skip

        opened = [
            open_due_runs(now=at(f"2026-05-04T{hour}"), actor=ACTOR)
            for hour in ("18:59", "19:00", "23:00")
        ]

        assert opened == [0, 1, 0]
        assert campaign.runs.get().occurrence_at == at("2026-05-05T07:00")
        assert Campaign.objects.get().status == CampaignStatus.ACTIVE
