"""A test of variants: who gets which, who wins, and what the others get."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus, WinnerMetric
from campaigns.models import CampaignInteraction, CampaignRun, Delivery
from campaigns.services.lifecycle import (
    cancel_campaign,
    change_campaign,
    clone_campaign,
    pause_campaign,
    resume_campaign,
    start_campaign,
)
from campaigns.services.preflight import preflight
from campaigns.services.runs import prepare_run
from campaigns.services.variants import decide_test, plan_test, set_variants
from campaigns.state import CampaignStateError
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient, send_all

pytestmark = pytest.mark.usefixtures("actor")
A = {"name": "A", "share": 50, "email_template_id": "newsletter-email"}
B = {"name": "B", "share": 50, "email_template_id": "welcome-email"}


def make_test(size, *variants, **values):
    people = [make_recipient() for _ in range(size)]
    campaign = make_campaign(*people, **{"test_percent": 40, **values})
    set_variants(campaign, variants or (A, B))
    return campaign


def start(campaign):
    start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    return prepare_run(campaign.runs.get().pk, timezone.now())


def groups_of(run):
    """variant (None: who waits) -> ids of customers."""
    found = {}
    for variant, customer in run.deliveries.values_list("variant__name", "customer_id"):
        found.setdefault(variant, set()).add(customer)
    return found


def end_test(run):
    """Let the hours of the test be over."""
    past = timezone.now() - timedelta(seconds=1)
    CampaignRun.objects.filter(pk=run.pk).update(decide_at=past)
    Delivery.objects.filter(run=run, due_at__gt=past).update(due_at=past)


def open_messages(run, variant, count, kind="OPENED"):
    rows = run.deliveries.filter(variant__name=variant)[:count]
    CampaignInteraction.objects.bulk_create(
        CampaignInteraction(
            campaign_id=run.campaign_id, customer_id=row.customer_id, delivery=row,
            channel="EMAIL", type=kind,
        )
        for row in rows
    )  # fmt: skip


def test_each_variant_gets_its_share_and_the_others_wait(tenant, gateway):
    run = start(make_test(100))

    send_all()

    groups = groups_of(run)
    assert 8 <= len(groups["A"]) <= 34  # A fifth of a hundred, give or take.
    assert 8 <= len(groups["B"]) <= 34
    sent = {message.to.customer_id: message.template_id for _, message in gateway.inbox}
    expected = {str(pk): A["email_template_id"] for pk in groups["A"]}
    expected |= {str(pk): B["email_template_id"] for pk in groups["B"]}
    assert sent == expected
    run.campaign.refresh_from_db()
    assert run.campaign.status == CampaignStatus.ACTIVE


def test_the_same_run_taken_again_gives_everybody_the_same(tenant, gateway):
    run = start(make_test(40))
    before = groups_of(run)
    run.deliveries.all().delete()
    CampaignRun.objects.filter(pk=run.pk).update(status="PENDING")

    prepare_run(run.pk, timezone.now())

    assert groups_of(run) == before


@pytest.mark.parametrize("metric", WinnerMetric.values)
def test_the_better_variant_goes_to_everybody_else(tenant, gateway, metric):
    run = start(make_test(40, test_metric=metric))
    send_all()
    open_messages(run, "A", 1, metric)
    open_messages(run, "B", 99, metric)
    # What does not count does not help.
    open_messages(run, "A", 99, "DELIVERED")
    end_test(run)
    gateway.inbox.clear()

    send_all()

    run.refresh_from_db()
    assert run.winner.name == "B"
    assert {message.template_id for _, message in gateway.inbox} == {B["email_template_id"]}
    assert {message.to.customer_id for _, message in gateway.inbox} == {
        str(pk) for pk in groups_of(run)[None]
    }
    run.campaign.refresh_from_db()
    assert (run.campaign.status, run.campaign.sent_count) == (CampaignStatus.COMPLETED, 40)


def test_a_rate_decides_and_not_a_number(tenant, gateway):
    unequal = ({**A, "share": 80}, {**B, "share": 20})
    run = start(make_test(60, *unequal, test_percent=100))
    send_all()
    many = Counter(run.deliveries.values_list("variant__name", flat=True))
    open_messages(run, "A", many["A"] // 2)
    open_messages(run, "B", many["B"])
    end_test(run)

    send_all()

    run.refresh_from_db()
    assert run.winner.name == "B"


def test_nobody_did_anything_so_the_first_one_wins(tenant, gateway):
    run = start(make_test(20))
    send_all()
    end_test(run)

    assert decide_test(run.pk, timezone.now())
    assert not decide_test(run.pk, timezone.now())

    run.refresh_from_db()
    assert run.winner.name == "A"


def test_nobody_who_waits_is_sent_to_before_the_winner_is_chosen_however_late(
    tenant, gateway, monkeypatch
):
    run = start(make_test(20))
    send_all()
    heard = len(gateway.inbox)
    end_test(run)
    monkeypatch.setattr("campaigns.services.dispatch.decide_test", lambda run_id, now: False)

    send_all()

    assert len(gateway.inbox) == heard


def test_paused_during_the_test_it_is_decided_after_the_resume(tenant, gateway):
    run = start(make_test(20))
    send_all()
    pause_campaign(campaign_id=run.campaign_id, actor=ACTOR)
    end_test(run)
    send_all()
    run.refresh_from_db()
    assert run.decided_at is None

    resume_campaign(campaign_id=run.campaign_id, actor=ACTOR)
    send_all()

    assert len(gateway.inbox) == len({m.to.customer_id for _, m in gateway.inbox}) == 20


@pytest.mark.parametrize("hour", [None, 9])
def test_paused_for_days_during_the_test_the_others_are_left_out(tenant, gateway, hour):
    run = start(make_test(20, {**A, "send_hour": None}, {**B, "send_hour": hour}))
    send_all()
    open_messages(run, "B", 9)
    heard = len(gateway.inbox)
    two_days_ago = timezone.now() - timedelta(days=2)
    CampaignRun.objects.filter(pk=run.pk).update(decide_at=two_days_ago)
    waiting = run.deliveries.filter(variant=None)
    waiting.update(due_at=two_days_ago)

    send_all()

    assert set(waiting.values_list("state", "reason")) == {("SUPPRESSED", "EXPIRED")}
    assert len(gateway.inbox) == heard


def test_cancelled_during_the_test_nobody_else_hears(tenant, gateway):
    run = start(make_test(20))
    send_all()
    heard = len(gateway.inbox)
    cancel_campaign(campaign_id=run.campaign_id, actor=ACTOR)
    end_test(run)

    send_all()

    run.refresh_from_db()
    assert len(gateway.inbox) == heard
    assert run.completed_at is not None


def test_hours_may_be_tried_against_each_other(tenant, gateway):
    nine, six = {"name": "Nine", "share": 50, "send_hour": 9}, {"name": "Six", "share": 50}
    campaign = make_test(20, nine, six | {"send_hour": 18}, timezone="Africa/Johannesburg")
    now = datetime(2027, 3, 1, 10, 30, tzinfo=UTC)  # 12:30 there

    test = plan_test(campaign, now)

    assert [arm.due_at for arm in test.arms] == [
        datetime(2027, 3, 2, 7, tzinfo=UTC), datetime(2027, 3, 1, 16, tzinfo=UTC),
    ]  # fmt: skip
    assert test.decide_at == datetime(2027, 3, 2, 11, tzinfo=UTC)


def test_the_winning_hour_is_the_others_hour(tenant, gateway):
    now = timezone.now()
    late = {"name": "Late", "share": 50, "send_hour": (now + timedelta(hours=5)).hour}
    soon = {"name": "Soon", "share": 50, "send_hour": now.hour}
    run = start(make_test(30, late, soon, timezone="UTC"))
    run.deliveries.filter(variant__isnull=False).update(state="ACCEPTED", settled_at=now)
    open_messages(run, "Late", 5)
    end_test(run)

    decide_test(run.pk, now)

    dues = set(run.deliveries.filter(variant=None).values_list("due_at", flat=True))
    due_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=5)
    assert dues == {due_at}


@pytest.mark.parametrize(
    ("variants", "values", "code"),
    [
        ([], {"test_percent": 20}, "variants_missing"),
        ([A, {**B, "share": 30}], {}, "variant_shares"),
        ([A, {**A, "name": "C"}], {}, "variants_same"),
        ([A, B], {"test_percent": None}, "test_share_missing"),
        ([A, {**B, "email_template_id": "gone"}], {}, "template_unknown"),
    ],
)
def test_a_test_that_means_nothing_is_red(tenant, gateway, variants, values, code):
    campaign = make_campaign(make_recipient(), **{"test_percent": 20, **values})
    set_variants(campaign, variants)

    found = preflight(campaign, now=timezone.now())

    assert code in {each.code for each in found.findings if each.level == "red"}


def test_variants_are_closed_once_it_is_scheduled_and_follow_a_clone(tenant, gateway):
    campaign = make_test(2)
    clone = clone_campaign(campaign_id=campaign.pk, actor=ACTOR)
    start(campaign)

    with pytest.raises(CampaignStateError) as refused:
        change_campaign(campaign_id=campaign.pk, values={"variants": [A]})

    assert refused.value.path == "variants"
    assert campaign.variants.count() == clone.variants.count() == 2


def test_another_club_sees_nothing_of_a_test(tenant, other_tenant, gateway):
    run = start(make_test(4))

    with tenant_scope(other_tenant.pk):
        end_test(run)
        assert not decide_test(run.pk, timezone.now() + timedelta(days=2))
        assert not run.campaign.variants.model.objects.exists()
