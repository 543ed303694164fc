"""The calendar: what goes out when, and moving it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.admin.calendar.sheet import day_of, sheet_of
from campaigns.models import Campaign, CampaignRun
from campaigns.services.calendar import calendar_entries, move_campaign
from campaigns.services.lifecycle import CampaignError, schedule_campaign, start_campaign
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient
from tests.campaigns.test_admin import sign_in, url_of  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell", "actor")
START = datetime(2031, 3, 3, tzinfo=UTC)
WEEK = timedelta(days=7)


def scheduled(at, **values):
    campaign = make_campaign(make_recipient(), timezone="Africa/Johannesburg", **values)
    return schedule_campaign(campaign_id=campaign.pk, actor=ACTOR, scheduled_at=at)


def entries(now=START):
    rows = calendar_entries(Campaign.objects.live(), start=START, end=START + WEEK, now=now)
    return [(each.campaign.name, each.at, each.is_movable) for each in rows]


def test_it_shows_what_is_set_what_went_and_what_repeats(tenant, other_tenant):
    at = START + timedelta(days=2, hours=9)
    scheduled(at, name="Set")
    scheduled(at + WEEK, name="Next week")
    gone = make_campaign(name="Gone")
    CampaignRun.objects.create(
        campaign=gone, occurrence_at=START, status="COMPLETED", created_by="user:test"
    )
    weekly = make_campaign(
        make_recipient(), name="Weekly", type="RECURRING", recur_pattern="0 9 * * 5",
        timezone="UTC",
    )  # fmt: skip
    start_campaign(campaign_id=weekly.pk, actor=ACTOR)
    with tenant_scope(other_tenant.pk):
        scheduled(at, name="Theirs")

    assert entries() == [
        ("Gone", START, False),
        ("Set", at, True),
        ("Weekly", START + timedelta(days=4, hours=9), False),
    ]
    # Runs of a repeating one that are past already are not to come.
    assert [name for name, *_ in entries(now=START + timedelta(days=6))] == ["Gone", "Set"]


def test_moving_keeps_the_time_of_its_own_clock(tenant):
    campaign = scheduled(START + timedelta(days=2, hours=9), name="Set")
    Campaign.objects.filter(pk=campaign.pk).update(timezone="Europe/London")

    moved = move_campaign(campaign_id=campaign.pk, day=date(2031, 4, 2), actor=ACTOR)

    # London's clocks went forward on 30 March.
    assert moved.scheduled_at == datetime(2031, 4, 2, 8, tzinfo=UTC)
    assert moved.status == "SCHEDULED"


def test_a_move_that_cannot_be_says_why_and_changes_nothing(tenant):
    campaign = scheduled(START + timedelta(hours=9))
    night = scheduled(datetime(2031, 3, 20, 1, 30, tzinfo=UTC))
    Campaign.objects.filter(pk=night.pk).update(timezone="Europe/London")
    running = make_campaign(make_recipient())
    start_campaign(campaign_id=running.pk, actor=ACTOR)

    for pk, day, why in (
        (campaign.pk, date(2020, 1, 1), "past"),
        (night.pk, date(2031, 3, 30), "clocks go forward"),
        (running.pk, date(2031, 3, 30), "no day of its own"),
    ):
        with pytest.raises(CampaignError, match=why):
            move_campaign(campaign_id=pk, day=day, actor=ACTOR)
    campaign.refresh_from_db()
    assert campaign.scheduled_at == START + timedelta(hours=9)


def test_the_page_moves_undoes_and_tells_refusals(sign_in, ann, tenant):  # noqa: F811
    at = timezone.now() + timedelta(days=3)
    campaign = scheduled(at, name="Set")
    client, page = sign_in(ann), url_of(tenant, "campaign_calendar")
    move = url_of(tenant, "campaign_calendar_move")
    values = {"campaign": str(campaign.pk), "view": "week", "on": at.date().isoformat()}
    before = at.astimezone(timezone.get_default_timezone()).date()

    moved = client.post(move, {**values, "day": (before + WEEK).isoformat()}, follow=True)
    campaign.refresh_from_db()
    later = campaign.scheduled_at
    shown = moved.content.decode()
    past = client.post(move, {**values, "day": "2020-01-01"}, follow=True).content.decode()
    nonsense = client.post(move, {**values, "day": "x"}, follow=True).content.decode()

    assert later == at + WEEK
    assert "Undo" in shown
    assert "stays where it is. That time is past" in past
    assert "Choose the day" in nonsense
    assert client.get(page).status_code == 200
    assert client.get(f"{page}?on=9999-99-99&view=x&club=y&status=z&moved=q").status_code == 200


def test_who_may_not_launch_cannot_move(sign_in, ben, tenant, other_tenant):  # noqa: F811
    campaign = scheduled(timezone.now() + timedelta(days=3))
    move = url_of(tenant, "campaign_calendar_move")
    client = sign_in(ben)

    answer = client.post(move, {"campaign": str(campaign.pk), "day": "2031-01-01"})

    assert answer.status_code == 403
    assert (
        'draggable="true"' not in client.get(url_of(tenant, "campaign_calendar")).content.decode()
    )


def test_another_clubs_campaign_cannot_be_moved(sign_in, ann, tenant, other_tenant):  # noqa: F811
    with tenant_scope(other_tenant.pk):
        theirs = scheduled(timezone.now() + timedelta(days=3))

    answer = sign_in(ann).post(
        url_of(tenant, "campaign_calendar_move"), {"campaign": str(theirs.pk), "day": "2031-01-01"}
    )

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("view", "on", "first", "last"),
    [
        ("month", date(2026, 2, 11), date(2026, 1, 26), date(2026, 3, 1)),
        ("month", date(2027, 2, 11), date(2027, 2, 1), date(2027, 2, 28)),
        ("month", date(2026, 12, 31), date(2026, 11, 30), date(2027, 1, 3)),
        ("week", date(2026, 1, 1), date(2025, 12, 29), date(2026, 1, 4)),
    ],
)
def test_a_sheet_is_whole_weeks_from_monday(view, on, first, last):
    sheet = sheet_of(view, on)

    assert (sheet.first, sheet.last) == (first, last)
    assert day_of("2031-02-30", on) == on
