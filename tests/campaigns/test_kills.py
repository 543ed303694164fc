"""Everybody hears exactly once, however often the workers are killed.

Workers die by SIGKILL, first at the worst moment: after Messaging accepted and before it answered.
"""

import os
import random
import signal
import time

import pytest
from django.db import transaction
from django.utils import timezone

from campaigns import tasks
from campaigns.models import Delivery
from campaigns.services.lifecycle import start_campaign
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import ACTOR
from tests.campaigns.fleet import (
    check_keys,
    check_that_each_heard_once,
    is_finished,
    make_audience,
    make_everything_due,
    ring_until,
)

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_workers_killed_in_the_middle_of_5000_lose_nobody_and_repeat_nobody(
    tenant, actor, sandbox, workers
):
    dice = random.Random(7)
    campaign = make_audience(5_000)
    with tenant_scope(tenant.pk):
        start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    sandbox.set_faults(hold_after_accepting=True)
    workers.start()

    # Accepted and not yet answered: the worst moment.
    ring_until(lambda: sandbox.state()["held"] >= 2, seconds=60)
    workers.kill_everything()
    sandbox.set_faults(hold_after_accepting=False, latency_seconds=0.4)
    sandbox.release()
    workers.start()
    for share in (0.4, 0.6):
        ring_until(lambda: sandbox.state()["accepted"] >= 4_500 * share, seconds=60)  # noqa: B023
        time.sleep(dice.random() * 0.4)
        workers.kill_one_child(dice)
    sandbox.set_faults(latency_seconds=0.0)
    ring_until(lambda: is_finished(tenant), seconds=60)

    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_twenty_kills_under_every_fault_lose_nobody_and_repeat_nobody(
    tenant, actor, sandbox, workers, seed
):
    dice = random.Random(seed)
    campaign = make_audience(20_000)
    with tenant_scope(tenant.pk):
        start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    sandbox.set_faults(
        seed=seed, latency_seconds=0.3, unavailable_rate=0.05, error_after_rate=0.05,
        silence_after_rate=0.05, silence_seconds=5, reset_after_rate=0.05, throttle_rate=0.03,
    )  # fmt: skip
    workers.start()

    for _ in range(20):
        ring_for = time.monotonic() + 1 + 3 * dice.random()
        ring_until(lambda: time.monotonic() > ring_for, seconds=60)  # noqa: B023
        match dice.choice(("group", "parent", "child", "child")):
            case "group":
                workers.kill_everything()
                workers.start()
            case "parent":
                workers.kill_parent()
                workers.start()
            case "child":
                workers.kill_one_child(dice)
    killed_at = time.monotonic()
    ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=120)

    assert time.monotonic() - killed_at < 120
    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


def test_a_worker_frozen_past_its_lease_changes_nothing_when_it_wakes(
    tenant, actor, sandbox, workers
):
    campaign = make_audience(20)
    with tenant_scope(tenant.pk):
        start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    sandbox.set_faults(hold_after_accepting=True)
    workers.start()
    ring_until(lambda: sandbox.state()["held"] >= 1, seconds=60)
    frozen = workers.children()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    sandbox.release()
    sandbox.set_faults(hold_after_accepting=False)

    with transaction.atomic():  # Its lease ends; another worker, here ourselves, takes over.
        Delivery.objects.filter(state="CLAIMED").update(due_at=timezone.now())
    assert tasks.dispatch_tenant(tenant.pk) in (True, False)
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=60)

    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)
