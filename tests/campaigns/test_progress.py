"""What the campaign's page says while it sends."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import CampaignRun, Delivery
from campaigns.services.dispatch import send_due
from campaigns.services.progress import progress_of
from campaigns.services.runs import prepare_run
from campaigns.services.variants import set_variants
from crm_site.tenancy.services import switch_sending
from tests.campaigns.builders import make_campaign, make_recipient, make_started, send_all
from tests.campaigns.test_variants import A, B, end_test, open_messages, start

pytestmark = pytest.mark.usefixtures("actor")


def panel(client, campaign):
    url = reverse("admin:campaigns_campaign_panel", args=[campaign.pk])
    return client.get(f"/oakhill{url}").content.decode()


def test_it_says_how_fast_it_goes_and_how_long_it_will_take(tenant, gateway, as_ann):
    campaign = make_started(*(make_recipient() for _ in range(40)))
    run = prepare_run(campaign.runs.get().pk, timezone.now())
    now = timezone.now()
    type(campaign).objects.update(started_at=now - timedelta(minutes=5))
    sent = run.deliveries.values_list("pk", flat=True)[:30]
    Delivery.objects.filter(pk__in=list(sent)).update(state="ACCEPTED", settled_at=now)
    campaign.refresh_from_db()

    found = progress_of(campaign, now)
    shown = panel(as_ann, campaign)

    assert found.per_second == 1
    assert found.left == timedelta(seconds=10)
    assert "a second, about 10 seconds to go" in " ".join(shown.split())


def test_what_is_tried_again_says_why(tenant, gateway, as_ann):
    campaign = make_started(*(make_recipient() for _ in range(2)))
    gateway.fail_next(after_accepting=True)

    send_due(tenant.pk, seconds=5)

    ((words, count),) = progress_of(campaign, timezone.now()).faults
    assert count == 2
    assert f"2 × {words[:20]}" in panel(as_ann, campaign)


def test_a_switch_that_is_off_is_told(tenant, gateway, as_ann):
    campaign = make_started(make_recipient())
    switch_sending(is_enabled=False, reason="Wrong prices")

    assert "switched off for every club. Wrong prices" in panel(as_ann, campaign)


def test_a_test_shows_its_variants_and_then_its_winner(tenant, gateway, as_ann):
    campaign = make_campaign(*(make_recipient() for _ in range(40)), test_percent=100)
    set_variants(campaign, [A, B])
    run = start(campaign)
    send_all()
    open_messages(run, "B", 3)
    before = panel(as_ann, campaign)
    end_test(run)
    send_all()

    assert "Everybody else waits" in before
    assert "Test: B won" in panel(as_ann, campaign)
    assert CampaignRun.objects.get().winner.name == "B"
