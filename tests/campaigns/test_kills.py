"""Everybody hears exactly once, however often the workers are killed.

Real worker processes, a real broker and database, and Messaging's sandbox as the judge: what it
accepted is compared with the ledger and with the people who consented, one by one. Workers die by
SIGKILL, first at the worst moment: after Messaging accepted and before it answered.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from campaigns import tasks
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, Delivery
from campaigns.services.lifecycle import start_campaign
from campaigns.services.statistics import rebuild_statistics
from crm_site.devstack.sandbox import Sandbox
from crm_site.messaging.gateway import forget_gateway
from crm_site.tenancy.context import local_settings, tenant_scope
from customers.models import CustomerProfile
from segments.models import CustomerSegmentMembership
from tests.campaigns.builders import ACTOR, consent_writing, make_campaign, make_segment

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
QUICK = {
    "DELIVERY_LEASE_SECONDS": "6",
    "MESSAGING_TIMEOUT_SECONDS": "3",
    "DISPATCH_LANE_SECONDS": "3",
}


class Workers:
    """One `celery worker` with two children, in a process group of its own."""

    def __init__(self, directory: Path, messaging_url: str) -> None:
        self.log = (directory / "worker.log").open("ab")
        self.environment = {**os.environ, **QUICK, "MESSAGING_BASE_URL": messaging_url,
                            "MESSAGING_API_KEY": "sandbox"}  # fmt: skip
        self.process = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "crm_site", "worker", "-Q", "dispatch,default",
             "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"],
            env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def kill_one_child(self, dice: random.Random) -> None:
        if children := self.children():
            os.kill(dice.choice(children), signal.SIGKILL)

    def kill_everything(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def sandbox(tmp_path, settings):
    with Sandbox(tmp_path / "sandbox", faults={"auto_events": False}) as running:
        settings.MESSAGING_GATEWAY = "crm_site.messaging.http.HttpGateway"
        settings.MESSAGING_BASE_URL = running.base_url
        forget_gateway()
        yield running
        forget_gateway()


@pytest.fixture
def workers(tmp_path, sandbox):
    made = Workers(tmp_path, sandbox.base_url)
    yield made
    made.kill_everything()
    made.log.close()


def make_audience(size: int) -> Campaign:
    """A campaign for ``size`` people, every tenth without consent."""
    with consent_writing(), local_settings(audit="off"), transaction.atomic():
        people = CustomerProfile.objects.bulk_create(
            CustomerProfile(first_name=f"N{n}", email=f"n{n}@example.com", email_opt_in=n % 10 != 0)
            for n in range(size)
        )
        segment = make_segment()
        CustomerSegmentMembership.objects.bulk_create(
            CustomerSegmentMembership(segment=segment, customer=person) for person in people
        )
        return make_campaign(segment=segment)


def ring_until(condition, *, seconds: float) -> None:
    """What the beat does, until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It took too long."
        with tenant_scope(""):  # The beat works in nobody's scope.
            tasks.dispatch_due()
        time.sleep(0.3)


def is_finished(tenant) -> bool:
    with tenant_scope(tenant.pk), transaction.atomic():
        return Campaign.objects.get().status == CampaignStatus.COMPLETED


def make_everything_due() -> None:
    """Spare the test the wait between attempts; leases are left alone."""
    with transaction.atomic():
        Delivery.objects.filter(state__in=["PENDING", "UNKNOWN"]).update(due_at=timezone.now())


def check_that_each_heard_once(campaign: Campaign, sandbox: Sandbox) -> None:
    inbox = sandbox.inbox()
    with transaction.atomic():
        hearing = CustomerProfile.objects.filter(email_opt_in=True)
        consenting = {str(pk) for pk in hearing.values_list("pk", flat=True)}
        ledger = dict(
            Delivery.objects.filter(state="ACCEPTED").values_list("customer_id", "message_id")
        )
        reasons = Counter(Delivery.objects.exclude(state="ACCEPTED").values_list("state", "reason"))
        campaign.refresh_from_db()
        shown = campaign.sent_count
        counted = rebuild_statistics(campaign.pk)["sent_count"]
    heard = Counter(message["customer_id"] for message in inbox)
    assert {customer for customer, times in heard.items() if times > 1} == set()
    assert set(heard) == consenting
    assert {str(customer): message for customer, message in ledger.items()} == {
        message["customer_id"]: message["id"] for message in inbox
    }
    assert set(reasons) == {("SUPPRESSED", "NO_CONSENT")}
    assert shown == counted == len(consenting)


def check_keys(sandbox: Sandbox) -> None:
    """One body to a key, one key to a person, on every attempt."""
    bodies: dict[str, set[str]] = {}
    for attempt in sandbox.attempts():
        bodies.setdefault(attempt["key"], set()).add(attempt["body_hash"])
    assert all(len(found) == 1 for found in bodies.values())


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
        if dice.random() < 0.5:
            workers.kill_everything()
            workers.start()
        else:
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
