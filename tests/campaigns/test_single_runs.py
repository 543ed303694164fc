"""What people decide about single runs: to skip one, to send a missed one late, to let it be."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import CampaignRun
from campaigns.services import lifecycle, occurrences
from campaigns.services.recurrence import next_runs, plan_runs
from campaigns.services.recurring import open_due_runs
from campaigns.state import CampaignStateError
from crm_site.errors import DomainError
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient, send_all

pytestmark = pytest.mark.usefixtures("actor", "gateway")


def make_daily(**values):
    campaign = make_campaign(
        make_recipient(), type="RECURRING", recur_pattern="0 9 * * *", timezone="UTC", **values
    )
    return lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)


def skip(campaign, at):
    return occurrences.skip_run(campaign_id=campaign.pk, occurrence_at=at, actor=ACTOR)


def make_missed(campaign, ago=timedelta(hours=5)):
    run = CampaignRun.objects.create(
        campaign=campaign, occurrence_at=timezone.now() - ago, status=RunStatus.MISSED,
        created_by=ACTOR.id,
    )  # fmt: skip
    return {"campaign_id": campaign.pk, "run_id": run.pk, "actor": ACTOR}


def test_a_skipped_run_does_not_go_out_and_the_others_do(tenant):
    campaign = make_daily()
    first, second, third = next_runs(campaign, after=timezone.now(), count=3)

    skip(campaign, second)
    skip(campaign, second)

    assert next_runs(campaign, after=timezone.now(), count=2) == [first, third]
    told = plan_runs(campaign, after=timezone.now(), count=3)
    assert [each.is_skipped for each in told] == [False, True, False]
    opened = [open_due_runs(now=at, actor=ACTOR) for at in (first, second, third)]
    assert opened == [1, 0, 1]


def test_a_run_is_put_back(tenant):
    campaign = make_daily()
    (first,) = next_runs(campaign, after=timezone.now(), count=1)
    skip(campaign, first)

    occurrences.unskip_run(campaign_id=campaign.pk, occurrence_at=first, actor=ACTOR)

    assert open_due_runs(now=first, actor=ACTOR) == 1


def test_a_moment_that_is_no_run_is_refused(tenant, other_tenant):
    campaign = make_daily()
    (first,) = next_runs(campaign, after=timezone.now(), count=1)

    with pytest.raises(DomainError, match="does not run then"):
        skip(campaign, first + timedelta(minutes=1))
    with pytest.raises(DomainError, match="has begun"):
        skip(campaign, first - timedelta(days=7))
    with pytest.raises(DomainError, match="No run is skipped"):
        occurrences.unskip_run(campaign_id=campaign.pk, occurrence_at=first, actor=ACTOR)
    with tenant_scope(other_tenant.pk), pytest.raises(DomainError, match="no such campaign"):
        skip(campaign, first)


def test_a_missed_run_is_sent_late_however_late(tenant):
    campaign = make_daily()
    which = make_missed(campaign, ago=timedelta(days=3))

    occurrences.send_missed_run(**which)
    send_all()

    run = campaign.runs.get()
    assert (run.status, campaign.deliveries.get().state) == (RunStatus.COMPLETED, "ACCEPTED")
    with pytest.raises(DomainError, match="Only a missed run"):
        occurrences.send_missed_run(**which)


def test_a_missed_run_is_dropped(tenant):
    campaign = make_daily()

    run = occurrences.drop_missed_run(**make_missed(campaign))

    send_all()
    assert (run.status, campaign.deliveries.count()) == (RunStatus.CANCELLED, 0)


def test_a_paused_campaign_sends_no_missed_run(tenant):
    campaign = make_daily()
    which = make_missed(campaign)
    lifecycle.pause_campaign(campaign_id=campaign.pk, actor=ACTOR)

    with pytest.raises(CampaignStateError):
        occurrences.send_missed_run(**which)


def test_a_scheduled_one_without_a_start_begins_by_its_pattern(tenant):
    campaign = make_campaign(
        make_recipient(), type="RECURRING", recur_pattern="0 9 * * *", timezone="UTC"
    )
    lifecycle.schedule_campaign(campaign_id=campaign.pk, actor=ACTOR)

    lifecycle.start_due_campaign(campaign_id=campaign.pk, now=timezone.now(), actor=ACTOR)

    campaign.refresh_from_db()
    assert (campaign.status, campaign.runs.count()) == (CampaignStatus.ACTIVE, 0)


def test_the_first_run_may_fall_on_the_start_itself(tenant):
    start = datetime(2026, 5, 4, 9, tzinfo=UTC)
    campaign = make_daily()
    type(campaign).objects.update(scheduled_at=start, started_at=start + timedelta(seconds=9))

    assert open_due_runs(now=start + timedelta(seconds=9), actor=ACTOR) == 1
    assert campaign.runs.get().occurrence_at == start


def test_a_pause_leaves_out_the_rest_of_a_run_that_another_has_overtaken(tenant):
    campaign = make_daily()
    now = timezone.now()
    old = CampaignRun.objects.create(
        campaign=campaign, occurrence_at=now - timedelta(hours=30), status=RunStatus.SENDING,
        created_by=ACTOR.id,
    )  # fmt: skip
    campaign.deliveries.create(
        run=old, customer=make_recipient(), channel="EMAIL", idempotency_key="k", due_at=now
    )
    lifecycle.pause_campaign(campaign_id=campaign.pk, actor=ACTOR)

    lifecycle.resume_campaign(campaign_id=campaign.pk, actor=ACTOR)

    assert campaign.deliveries.get().reason == "EXPIRED"
