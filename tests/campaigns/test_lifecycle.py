"""What may be done to a campaign, and what happens to what is under way."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campaigns import tasks
from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services import lifecycle
from campaigns.services.preflight import PreflightError
from campaigns.state import CampaignStateError, Move, next_status
from crm_site.audit.models import CrmAuditLog
from crm_site.errors import DomainError
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import tenant_scope
from segments.models import CustomerSegment
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient, make_segment

pytestmark = pytest.mark.usefixtures("actor", "gateway")


def act(name, campaign, **values):
    return getattr(lifecycle, f"{name}_campaign")(campaign_id=campaign.pk, actor=ACTOR, **values)


def in_an_hour():
    return timezone.now() + timedelta(hours=1)


@pytest.mark.parametrize("status", list(CampaignStatus))
@pytest.mark.parametrize(
    ("move", "allowed"),
    [
        (Move.SCHEDULE, {"DRAFT": "SCHEDULED", "SCHEDULED": "SCHEDULED"}),
        (Move.UNSCHEDULE, {"SCHEDULED": "DRAFT"}),
        (Move.START, {"DRAFT": "ACTIVE", "SCHEDULED": "ACTIVE"}),
        (Move.PAUSE, {"ACTIVE": "PAUSED"}),
        (Move.RESUME, {"PAUSED": "ACTIVE"}),
        (
            Move.CANCEL,
            dict.fromkeys(("DRAFT", "SCHEDULED", "ACTIVE", "PAUSED"), "CANCELLED"),
        ),
        (Move.MISS, {"SCHEDULED": "DRAFT"}),
        (Move.COMPLETE, {"ACTIVE": "COMPLETED"}),
    ],
)
def test_only_the_moves_of_the_table_are_made(status, move, allowed):
    if status in allowed:
        assert next_status(status, move) == allowed[status]
        return
    with pytest.raises(CampaignStateError, match="this one is"):
        next_status(status, move)


def test_a_campaign_is_scheduled_started_paused_resumed_and_cancelled(tenant):
    campaign = make_campaign(make_recipient())

    act("schedule", campaign, scheduled_at=in_an_hour())
    act("start", campaign)
    act("pause", campaign)
    act("resume", campaign)
    act("cancel", campaign)

    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.CANCELLED
    acts = CrmAuditLog.objects.filter(entity_id=str(campaign.pk)).order_by("id")
    meanings = [row.action for row in acts if row.action not in ("CREATE", "UPDATE")]
    assert meanings == ["SCHEDULE", "START", "PAUSE", "RESUME", "CANCEL"]
    assert {row.performed_by for row in acts} == {ACTOR.id}


def test_start_pressed_again_is_refused_and_makes_no_second_run(tenant):
    campaign = make_campaign(make_recipient())
    act("start", campaign)

    with pytest.raises(CampaignStateError, match="this one is sending"):
        act("start", campaign)

    assert campaign.runs.count() == 1


def test_schedule_needs_a_time_to_come(tenant):
    campaign = make_campaign(make_recipient())

    with pytest.raises(DomainError) as missing:
        act("schedule", campaign)
    with pytest.raises(DomainError) as past:
        act("schedule", campaign, scheduled_at=timezone.now() - timedelta(seconds=1))

    assert (missing.value.path, past.value.path) == ("scheduled_at", "scheduled_at")
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"segment": None}, "segment_missing"),
        ({"channels": []}, "channels_missing"),
        ({"channels": [Channel.EMAIL], "email_template_id": None}, "template_missing"),
        ({"channels": [Channel.EMAIL], "email_template_id": "gone"}, "template_unknown"),
        ({"channels": [Channel.SOCIAL]}, "channel_unsupported"),
        ({"channels": [Channel.SMS]}, "nobody_reachable"),
        ({"timezone": "Mars/Base"}, "zone_unknown"),
        ({"type": "JOURNEY"}, "type"),
        ({"type": "TRIGGERED"}, "event_missing"),
        ({"type": "RECURRING", "recur_pattern": "0 9 30 2 *"}, "pattern"),
        ({"type": "RECURRING", "recur_pattern": "* * * * * *"}, "pattern"),
    ],
)
def test_red_findings_keep_a_campaign_from_starting(tenant, values, code):
    customer = make_recipient()
    campaign = make_campaign(customer, **values)

    with pytest.raises(PreflightError) as refused:
        act("start", campaign)

    assert refused.value.code == code
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.DRAFT
    assert not campaign.runs.exists()


def test_an_end_before_the_start_is_refused(tenant):
    campaign = make_campaign(make_recipient(), recur_end_at=timezone.now())

    with pytest.raises(PreflightError) as refused:
        act("schedule", campaign, scheduled_at=in_an_hour())

    assert refused.value.path == "recur_end_at"


def test_a_segment_deleted_meanwhile_stands_the_start_down_and_says_why(tenant):
    segment = make_segment(make_recipient())
    campaign = make_campaign(segment=segment)
    act("schedule", campaign, scheduled_at=in_an_hour())
    Campaign.objects.update(scheduled_at=timezone.now())
    CustomerSegment.objects.update(deleted_at=timezone.now())

    tasks.start_due()

    campaign.refresh_from_db()
    run = campaign.runs.get()
    assert (campaign.status, run.status) == (CampaignStatus.DRAFT, RunStatus.FAILED)
    assert "was deleted" in run.error


def test_a_due_campaign_starts_once_whoever_ticks(tenant, other_tenant):
    campaign = make_campaign(make_recipient())
    act("schedule", campaign, scheduled_at=in_an_hour())
    Campaign.objects.update(scheduled_at=timezone.now() - timedelta(minutes=5))

    assert tasks.start_due() == 1
    assert tasks.start_due() == 0

    run = campaign.runs.get()
    campaign.refresh_from_db()
    assert (campaign.status, run.occurrence_at) == (CampaignStatus.ACTIVE, campaign.scheduled_at)


def test_a_start_that_comes_too_late_is_missed_and_waits_for_a_person(tenant):
    campaign = make_campaign(make_recipient())
    act("schedule", campaign, scheduled_at=in_an_hour())
    Campaign.objects.update(scheduled_at=timezone.now() - timedelta(minutes=61))

    tasks.start_due()
    tasks.start_due()

    campaign.refresh_from_db()
    run = campaign.runs.get()
    assert (campaign.status, run.status) == (CampaignStatus.DRAFT, RunStatus.MISSED)
    assert "nobody was written to" in run.error
    act("start", campaign)  # A person decides.
    assert campaign.runs.count() == 2


def test_the_run_of_an_occurrence_has_the_same_id_again(tenant):
    campaign = make_campaign(make_recipient())
    act("schedule", campaign, scheduled_at=in_an_hour())
    Campaign.objects.update(scheduled_at=timezone.now())
    tasks.start_due()
    first = campaign.runs.get().pk
    # As after a restore of the database to before it.
    CampaignRun.objects.all().delete()
    Campaign.objects.update(status=CampaignStatus.SCHEDULED)

    tasks.start_due()

    assert campaign.runs.get().pk == first


def test_a_clone_is_a_draft_without_dates_or_figures(tenant):
    campaign = make_campaign(
        make_recipient(), scheduled_at=in_an_hour(), status=CampaignStatus.SCHEDULED, sent_count=9
    )

    clone = act("clone", campaign)

    assert clone.pk != campaign.pk
    assert (clone.status, clone.scheduled_at, clone.sent_count) == (CampaignStatus.DRAFT, None, 0)
    assert (clone.segment_id, clone.channels) == (campaign.segment_id, campaign.channels)
    assert clone.name == "Copy of November news"


def test_a_running_campaign_keeps_whom_it_reaches(tenant):
    campaign = make_campaign(make_recipient())
    act("start", campaign)

    changed = lifecycle.change_campaign(campaign_id=campaign.pk, values={"name": "Other words"})
    with pytest.raises(CampaignStateError) as refused:
        lifecycle.change_campaign(campaign_id=campaign.pk, values={"channels": [Channel.SMS]})

    assert changed.name == "Other words"
    assert refused.value.path == "channels"


def test_another_clubs_campaign_is_out_of_reach(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        stranger = make_campaign(make_recipient())

    with pytest.raises(DomainError) as refused:
        act("start", stranger)

    assert refused.value.code == "not_found"


@pytest.mark.django_db(transaction=True)
def test_start_pressed_twenty_times_at_once_makes_one_run(tenant):
    import threading

    with transaction.atomic():
        campaign = make_campaign(make_recipient())
    answers, gate = [], threading.Barrier(20)

    def press():
        try:
            with tenant_scope(tenant.pk):
                gate.wait()
                act("start", campaign)
            answers.append("started")
        except CampaignStateError:
            answers.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["refused"] * 19 + ["started"]
    with transaction.atomic():
        assert CampaignRun.objects.count() == 1
