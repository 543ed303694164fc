"""A database that is put back to the middle of a run repeats nobody and loses nobody."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services.claims import claim
from campaigns.services.lifecycle import start_due_campaign
from campaigns.services.recurring import open_due_runs
from campaigns.services.runs import prepare_run
from tests.campaigns.backups import restore, take_backup
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient, send_all, states_of
from tests.campaigns.test_dispatch import overdue

pytestmark = pytest.mark.usefixtures("actor")


def scheduled(size=20, **values):
    due_at = timezone.now() - timedelta(minutes=1)
    return make_campaign(
        *(make_recipient() for _ in range(size)), status=CampaignStatus.SCHEDULED,
        scheduled_at=due_at, **values,
    )  # fmt: skip


def start(campaign):
    start_due_campaign(campaign_id=campaign.pk, now=timezone.now(), actor=ACTOR)


@pytest.mark.parametrize("moment", ["before it started", "before its snapshot", "in the middle"])
def test_put_back_it_goes_on_and_nobody_hears_twice(tenant, gateway, moment):
    campaign = scheduled()
    backup = take_backup()
    start(campaign)
    if moment == "before its snapshot":
        backup = take_backup()
    prepare_run(campaign.runs.get().pk, timezone.now())
    if moment == "in the middle":
        claim(run=campaign.runs.get(), tenant=tenant, now=timezone.now(), limit=5)
        backup = take_backup()
    overdue()
    send_all()
    assert len(gateway.inbox) == 20

    restore(backup)
    overdue()
    if moment == "before it started":
        start(campaign)
    send_all()

    assert len({message.to.customer_id for _, message in gateway.inbox}) == len(gateway.inbox) == 20
    assert set(states_of(campaign)) == {("ACCEPTED", None)}
    campaign.refresh_from_db()
    assert (campaign.status, campaign.sent_count) == (CampaignStatus.COMPLETED, 20)


def test_put_back_too_late_nothing_is_sent_and_a_person_decides(tenant, gateway):
    campaign = scheduled()
    backup = take_backup()
    start(campaign)
    send_all()
    restore(backup)
    later = timezone.now() + timedelta(hours=2)

    start_due_campaign(campaign_id=campaign.pk, now=later, actor=ACTOR)
    send_all()

    campaign.refresh_from_db()
    assert campaign.runs.get().status == RunStatus.MISSED
    assert campaign.status == CampaignStatus.DRAFT
    assert len(gateway.inbox) == 20


def test_a_repeating_campaign_put_back_to_last_week_sends_nothing_of_it(tenant, gateway):
    now = timezone.now()
    due_at = now - timedelta(hours=2)
    campaign = make_campaign(
        make_recipient(), type="RECURRING", status=CampaignStatus.ACTIVE, timezone="UTC",
        recur_pattern=f"{due_at.minute} {due_at.hour} * * *",
        started_at=now - timedelta(days=7),
    )  # fmt: skip

    for _ in range(3):
        open_due_runs(now=now, actor=ACTOR)
        send_all()

    assert [run.status for run in CampaignRun.objects.all()] == [RunStatus.MISSED]
    assert gateway.inbox == []
    assert Campaign.objects.get(pk=campaign.pk).status == CampaignStatus.ACTIVE
