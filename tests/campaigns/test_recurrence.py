"""When repeating campaigns run, clock changes included."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import Campaign
from campaigns.services import lifecycle
from campaigns.services.recurrence import RecurrenceError, check_pattern, next_runs
from campaigns.services.recurring import open_due_runs
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient


def repeating(pattern, zone, **values):
    return Campaign(type="RECURRING", recur_pattern=pattern, timezone=zone, name="Weekly", **values)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("pattern", "zone", "after", "expected"),
    [
        # Clocks go forward in London on 29 March 2026 at 01:00 UTC.
        ("0 9 * * *", LONDON, "2026-03-28T00:00", ["2026-03-28T09:00", "2026-03-29T08:00"]),
        ("30 1 * * *", LONDON, "2026-03-28T02:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        # They go back on 25 October 2026: 01:30 comes twice, and runs once.
        ("30 1 * * *", LONDON, "2026-10-24T01:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        # Every second hour stays by the clock: 02:00 is skipped in Berlin, and runs at 03:00 …
        ("0 */2 * * *", "Europe/Berlin", "2026-03-29T00:30",
         ["2026-03-29T01:00", "2026-03-29T02:00"]),
        # … and is repeated in October, and runs once.
        ("0 */2 * * *", "Europe/Berlin", "2026-10-24T23:30",
         ["2026-10-25T00:00", "2026-10-25T03:00"]),
        # Twice an hour in the hour that is skipped: once, when the clocks have moved.
        ("0,30 2 * * *", "America/New_York", "2026-03-08T06:00",
         ["2026-03-08T07:00", "2026-03-09T06:00"]),
        # Every hour is every hour, also in the one that comes twice.
        ("0 * * * *", LONDON, "2026-10-24T23:30", ["2026-10-25T00:00", "2026-10-25T01:00"]),
        # Lord Howe's clocks move by half an hour: 02:15 does not exist on 4 October.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00",
         ["2026-10-03T15:30", "2026-10-04T15:15"]),
        ("0 7 * * 1", "Africa/Johannesburg", "2026-11-22T00:00",
         ["2026-11-23T05:00", "2026-11-30T05:00"]),
    ],
)  # fmt: skip
def test_the_zones_clock_decides(pattern, zone, after, expected):
    runs = next_runs(repeating(pattern, zone), after=at(after), count=2)

    assert runs == [at(text) for text in expected]


def test_runs_start_and_end_when_the_campaign_does():
    campaign = repeating(
        "0 9 * * *", "UTC",
        scheduled_at=at("2026-03-02T09:00"), recur_end_at=at("2026-03-04T09:00"),
    )  # fmt: skip

    runs = next_runs(campaign, after=at("2026-01-01T00:00"), count=400)

    assert [run.day for run in runs] == [2, 3, 4]


@pytest.mark.parametrize("pattern", ["", None, "often", "0 9 30 2 *", "* * * * * *", "61 9 * * *"])
def test_patterns_that_say_nothing_are_refused(pattern):
    with pytest.raises(RecurrenceError):
        check_pattern(pattern, "UTC")


def started(now, pattern="0 9 * * *"):
    campaign = make_campaign(
        make_recipient(), type="RECURRING", recur_pattern=pattern, timezone="UTC"
    )
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    Campaign.objects.update(started_at=now)
    campaign.refresh_from_db()
    return campaign


@pytest.mark.usefixtures("actor", "gateway")
class TestOpeningRuns:
    def test_each_occurrence_gets_one_run(self, tenant):
        campaign = started(at("2026-03-01T08:00"))

        opened = [
            open_due_runs(now=at(f"2026-03-0{day}T09:0{minute}"), actor=ACTOR)
            for day in (1, 2)
            for minute in (0, 1)
        ]

        assert opened == [1, 0, 1, 0]
        runs = campaign.runs.order_by("occurrence_at")
        assert [run.occurrence_at for run in runs] == [
            at("2026-03-01T09:00"),
            at("2026-03-02T09:00"),
        ]

    def test_after_an_outage_the_latest_alone_is_caught_up(self, tenant):
        campaign = started(at("2026-03-01T08:00"), "0 * * * *")

        open_due_runs(now=at("2026-03-01T12:20"), actor=ACTOR)

        assert [run.occurrence_at.hour for run in campaign.runs.all()] == [12]

    def test_past_its_limit_it_is_missed(self, tenant):
        campaign = started(at("2026-03-01T08:00"))

        open_due_runs(now=at("2026-03-01T12:00"), actor=ACTOR)

        assert campaign.runs.get().status == RunStatus.MISSED

    def test_it_completes_after_its_end(self, tenant):
        campaign = started(at("2026-03-01T08:00"))
        Campaign.objects.update(recur_end_at=at("2026-03-01T08:30"))

        open_due_runs(now=at("2026-03-01T08:30") + timedelta(hours=1), actor=ACTOR)

        campaign.refresh_from_db()
        assert (campaign.status, campaign.runs.count()) == (CampaignStatus.COMPLETED, 0)
