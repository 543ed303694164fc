"""However many beats and bells there are, what they start is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.cache import cache
from django.db import connections, transaction
from django.utils import timezone

from campaigns import tasks
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, CampaignRun
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import make_campaign, make_recipient, make_segment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("silent_bell")]


def at_once(count: int, act) -> list:
    """What ``act`` gives to each of ``count`` threads that call it at the same moment."""
    together = Barrier(count)

    def run(_):
        try:
            together.wait(timeout=20)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(run, range(count)))


def test_three_beats_start_fifty_due_campaigns_once_each(tenant, actor):
    due_at = timezone.now() - timedelta(seconds=5)
    with transaction.atomic():
        segment = make_segment(make_recipient())
        for number in range(50):
            make_campaign(
                segment=segment,
                name=f"Number {number}",
                status=CampaignStatus.SCHEDULED,
                scheduled_at=due_at,
            )

    def beat() -> int:
        with tenant_scope(""):
            return tasks.start_due()

    opened = at_once(3, beat)

    with transaction.atomic():
        runs = list(CampaignRun.objects.values_list("campaign_id", "occurrence_at"))
        started = Campaign.objects.filter(status=CampaignStatus.ACTIVE).count()
    assert sum(opened) == len(runs) == len(set(runs)) == started == 50


def test_after_three_hours_without_a_beat_each_repeating_campaign_catches_up_once(tenant, actor):
    now = timezone.now()
    with transaction.atomic():
        segment = make_segment(make_recipient())
        for number in range(20):
            make_campaign(
                segment=segment, name=f"Number {number}", type="RECURRING", timezone="UTC",
                recur_pattern="*/30 * * * *", status=CampaignStatus.ACTIVE,
                started_at=now - timedelta(hours=3),
            )  # fmt: skip

    def beat() -> int:
        with tenant_scope(""):
            return tasks.start_due()

    opened = at_once(3, beat)

    with transaction.atomic():
        runs = list(CampaignRun.objects.values_list("campaign_id", "occurrence_at"))
    assert sum(opened) == len(runs) == len({campaign for campaign, _ in runs}) == 20
    assert all(now - due_at < timedelta(minutes=31) for _, due_at in runs)


def test_a_lane_asked_for_twice_takes_one_turn(tenant, monkeypatch):
    turns, queued = [], []
    monkeypatch.setattr(tasks, "send_due", lambda tenant_id, seconds: turns.append(1) or True)
    monkeypatch.setattr(tasks.dispatch_tenant, "delay", lambda *given: queued.append(given))
    cache.clear()
    tasks._queue_turn(tenant.pk, 0)
    tasks._queue_turn(tenant.pk, 0)  # The lane's key had run out while the first was waiting.

    for given in list(queued):
        tasks.dispatch_tenant(*given)

    assert len(turns) == 1
    assert len(queued) == 3  # The two, and the next turn of the one that had its turn.
    assert tasks.dispatch_tenant(*queued[-1])
