"""What goes wrong around a run in the middle of it, with real workers, beat and servers.

Nobody is lost, nobody hears twice, and it goes on by itself.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
import redis
from django.db import connection, transaction
from django.utils import timezone

from campaigns.choices import DeliveryState
from campaigns.models import Delivery
from campaigns.services.claims import ATTEMPT_LIMIT, REPEAT_LIMIT
from campaigns.services.lifecycle import pause_campaign, resume_campaign, start_campaign
from crm_site.celery import app
from crm_site.devstack import embedded
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from customers.services.merging import merge_profiles
from customers.signals import profile_erased
from tests.campaigns.backups import restore, take_backup
from tests.campaigns.builders import (
    ACTOR,
    consent_writing,
)
from tests.campaigns.fleet import (
    QUICK,
    Workers,
    check_keys,
    check_that_each_heard_once,
    is_finished,
    make_audience,
    make_everything_due,
    ring_until,
    wait_until,
)

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]
BASE = Path(os.environ["FAIRWAY_TEST_DIR"])


def start(campaign) -> None:
    start_campaign(campaign_id=campaign.pk, actor=ACTOR)


def test_a_broker_killed_and_emptied_three_times_delays_and_loses_nobody(
    tenant, actor, sandbox, workers, beat
):
    campaign = make_audience(10_000)
    start(campaign)
    sandbox.set_faults(latency_seconds=1.0)
    workers.start()
    beat.start()
    ours = (workers, beat)  # Celery's worker may end with its broker; its supervisor restarts it.

    for share in (0.1, 0.3, 0.5):
        wait_until(lambda: sandbox.state()["accepted"] >= 9_000 * share, *ours, seconds=60)  # noqa: B023
        with redis.Redis.from_url(embedded.redis_url(BASE)) as broker:
            os.kill(broker.info("server")["process_id"], signal.SIGKILL)
        wait_until(_broker_answers, seconds=30)
        with redis.Redis.from_url(embedded.redis_url(BASE)) as broker:
            broker.flushall()
    sandbox.set_faults(latency_seconds=0.0)
    wait_until(lambda: is_finished(tenant), *ours, seconds=60)

    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


def _broker_answers() -> bool:
    try:
        with redis.Redis.from_url(embedded.redis_url(BASE), socket_timeout=2) as broker:
            return bool(broker.ping())
    except redis.RedisError:
        return False


def test_a_database_that_crashes_five_times_is_waited_for_by_every_process(
    tenant, actor, sandbox, workers, beat
):
    campaign = make_audience(10_000)
    start(campaign)
    sandbox.set_faults(latency_seconds=1.0)
    workers.start()
    beat.start()
    connection.close()

    for share in (0.1, 0.25, 0.4, 0.55, 0.7):
        wait_until(lambda: sandbox.state()["accepted"] >= 9_000 * share, seconds=60)  # noqa: B023
        postmaster = int((BASE / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)  # What `pg_ctl restart -m immediate` does first.
        wait_until(lambda: _database_answers(postmaster), seconds=30)  # noqa: B023
    crashed_at = time.monotonic()
    accepted = sandbox.state()["accepted"]
    wait_until(lambda: sandbox.state()["accepted"] > accepted or is_finished(tenant), seconds=30)
    assert time.monotonic() - crashed_at < 30
    sandbox.set_faults(latency_seconds=0.0)
    wait_until(lambda: is_finished(tenant), seconds=60)

    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


def _database_answers(crashed: int) -> bool:
    try:
        running = int((BASE / "postgres" / "postmaster.pid").read_text().split()[0])
        if running == crashed:
            return False
        with tenant_scope(""), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
    except Exception:  # noqa: BLE001 - any of the ways in which it is not back yet
        connection.close()
        return False


def test_a_hundred_of_a_small_club_do_not_wait_for_fifty_thousand_of_a_big_one(
    tenant, other_tenant, actor, sandbox, workers, beat
):
    big = make_audience(50_000)
    start(big)
    sandbox.set_faults(latency_seconds=1.0)
    workers.start()
    beat.start()
    wait_until(lambda: sandbox.state()["accepted"] > 0, seconds=180)

    with tenant_scope(other_tenant.pk):
        start(make_audience(100))
    started_at = time.monotonic()
    wait_until(lambda: len(sandbox.inbox(other_tenant.pk)) == 90, seconds=60)

    assert time.monotonic() - started_at < 60
    assert not is_finished(tenant)


def test_paused_and_resumed_ten_times_nothing_is_claimed_while_paused(
    tenant, actor, sandbox, workers
):
    campaign = make_audience(10_000)
    start(campaign)
    sandbox.set_faults(latency_seconds=1.0)
    workers.start()
    ring_until(lambda: sandbox.state()["accepted"] > 0, seconds=60)

    paused = []
    for _ in range(10):
        pause_campaign(campaign_id=campaign.pk, actor=ACTOR)
        since = time.time()
        time.sleep(0.5)
        paused.append((since, time.time()))
        resume_campaign(campaign_id=campaign.pk, actor=ACTOR)
        until = time.monotonic() + 0.4
        ring_until(lambda: time.monotonic() > until, seconds=10)  # noqa: B023
    ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=60)

    attempts = sandbox.attempts()
    for since, until in paused:
        # What two workers had claimed just before may still go out.
        assert len({a["request"] for a in attempts if since < a["at"] < until}) <= 2
    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


def test_who_leaves_while_a_run_is_under_way_is_not_sent_to(tenant, actor, sandbox, workers):
    campaign = make_audience(10_000)
    start(campaign)
    sandbox.set_faults(latency_seconds=1.0)
    workers.start()
    ring_until(lambda: sandbox.state()["accepted"] > 0, seconds=60)

    now = timezone.now()
    with transaction.atomic(), consent_writing():
        waiting = Delivery.objects.filter(state=DeliveryState.PENDING, campaign=campaign)
        people = list(waiting.order_by("-due_at", "-id").values_list("customer_id", flat=True))
        groups = [people[start : start + 100] for start in range(0, 500, 100)]
        refused, deleted, inactive, erased, merged = (
            CustomerProfile.objects.filter(pk__in=group) for group in groups
        )
        refused.update(email_opt_in=False)
        deleted.update(deleted_at=now, status="DELETED")
        inactive.update(status="INACTIVE")
        for profile in erased:
            profile_erased.send(sender=CustomerProfile, profile=profile)
        survivors = CustomerProfile.objects.filter(pk__in=people[500:600])
        for absorbed, survivor in zip(merged, survivors, strict=True):
            merge_profiles(survivor_id=survivor.pk, absorbed_id=absorbed.pk, actor=ACTOR)
    left = {str(pk) for group in groups for pk in group}
    time.sleep(1)  # A claim that began before the commit is over by now.
    with transaction.atomic():
        claimed = Delivery.objects.filter(customer_id__in=left, first_requested_at__isnull=False)
        unclaimed = left - {str(pk) for pk in claimed.values_list("customer_id", flat=True)}
    ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=60)

    heard = [message["customer_id"] for message in sandbox.inbox()]
    assert len(unclaimed) > 400
    assert unclaimed.isdisjoint(heard)
    assert len(heard) == len(set(heard))
    with transaction.atomic():
        reasons = Delivery.objects.filter(customer_id__in=unclaimed)
        assert set(reasons.values_list("state", "reason")) == {
            ("SUPPRESSED", reason) for reason in ("NO_CONSENT", "INACTIVE", "ERASED", "MERGED")
        }


def test_told_to_wait_no_worker_asks_before_its_time(tenant, actor, sandbox, workers):
    campaign = make_audience(5_000)
    start(campaign)
    sandbox.set_faults(latency_seconds=0.5)
    workers.start()
    ring_until(lambda: sandbox.state()["accepted"] > 0, seconds=60)

    sandbox.throttle(60)
    over_at = time.time() + 59.5
    ring_until(lambda: is_finished(tenant), seconds=150)

    attempts = sandbox.attempts()
    told_at = min(attempt["at"] for attempt in attempts if attempt["answer"] == "429")
    # The other worker may be in the middle of asking when the first is told.
    assert [a for a in attempts if told_at + 1 < a["at"] < over_at] == []
    check_that_each_heard_once(campaign, sandbox)


def test_what_messaging_forgot_is_never_sent_again_and_stays_in_sight(
    tenant, actor, sandbox, workers
):
    workers.environment["MESSAGING_KEY_HORIZON_SECONDS"] = "16"
    sandbox.set_faults(key_horizon_seconds=16, error_after_rate=1.0)
    campaign = make_audience(50)
    workers.start()
    wait_until(lambda: app.control.ping(timeout=1), seconds=60)
    start(campaign)
    ring_until(lambda: sandbox.state()["accepted"] == 45, seconds=60)
    # Accepted, answered with an error; and now it is away for longer than it remembers.
    sandbox.set_faults(unavailable_rate=1.0, lookup_unavailable_rate=1.0)
    away_until = time.monotonic() + 17
    ring_until(lambda: time.monotonic() > away_until, seconds=30)
    asked = sandbox.state()["attempts"]
    sandbox.set_faults(unavailable_rate=0.0, lookup_unavailable_rate=0.0, error_after_rate=0.0)

    until = time.monotonic() + 5
    ring_until(lambda: make_everything_due() or time.monotonic() > until, seconds=20)
    wait_until(lambda: not _is_anything_claimed(), seconds=20)

    with transaction.atomic():
        states = set(campaign.deliveries.values_list("state", "reason"))
    assert states == {("UNKNOWN", None), ("SUPPRESSED", "NO_CONSENT")}
    assert sandbox.state()["attempts"] == asked
    assert len(sandbox.inbox()) == 45


@pytest.mark.parametrize("can_be_asked", [True, False])
def test_keys_that_messaging_breaks_on_for_ever_end_and_nobody_else_waits(
    tenant, actor, sandbox, workers, can_be_asked
):
    campaign = make_audience(1_000)
    start(campaign)
    # Whatever batch holds such a key is accepted, and answered with an error.
    sandbox.set_faults(
        seed=3, failing_key_rate=0.01, lookup_unavailable_rate=0.0 if can_be_asked else 1.0
    )
    workers.start()

    ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=180)

    with transaction.atomic():
        rows = campaign.deliveries.filter(state__in=["ACCEPTED", "UNKNOWN"])
        broken = list(rows.filter(attempts__gte=REPEAT_LIMIT).values_list("state", "attempts"))
        others = rows.exclude(attempts__gte=REPEAT_LIMIT).exclude(state="ACCEPTED")
        assert not others.exists()
    assert 0 < len(broken) < 40
    assert {state for state, _ in broken} == {"ACCEPTED" if can_be_asked else "UNKNOWN"}
    assert all(attempts <= ATTEMPT_LIMIT for _, attempts in broken)
    sent = Counter(attempt["key"] for attempt in sandbox.attempts())
    assert max(sent.values()) <= REPEAT_LIMIT
    heard = [message["customer_id"] for message in sandbox.inbox()]
    assert len(heard) == len(set(heard)) == 900
    check_keys(sandbox)


def test_workers_frozen_for_three_leases_write_nothing_when_they_wake(
    tenant, actor, sandbox, workers, tmp_path
):
    campaign = make_audience(2_000)
    start(campaign)
    sandbox.set_faults(hold_after_accepting=True)
    workers.start()
    ring_until(lambda: sandbox.state()["held"] >= 2, seconds=60)
    frozen = workers.children()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    sandbox.release()
    sandbox.set_faults(hold_after_accepting=False)

    with Workers(tmp_path, sandbox.base_url) as others:
        others.start()
        woken_at = time.monotonic() + 3 * int(QUICK["DELIVERY_LEASE_SECONDS"])
        ring_until(lambda: time.monotonic() > woken_at, seconds=60)
        settled = _settled()
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=60)

    assert settled > 0
    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


def _settled() -> int:
    with transaction.atomic():
        return Delivery.objects.filter(state=DeliveryState.ACCEPTED).count()


def test_put_back_to_the_middle_of_a_run_that_finished_nobody_hears_twice(
    tenant, actor, sandbox, workers
):
    campaign = make_audience(5_000)
    start(campaign)
    sandbox.set_faults(latency_seconds=0.5)
    workers.start()
    ring_until(lambda: sandbox.state()["accepted"] >= 500, seconds=60)
    backup = take_backup()
    sandbox.set_faults(latency_seconds=0.0)
    ring_until(lambda: is_finished(tenant), seconds=60)
    workers.kill_everything()

    restore(backup)
    assert not is_finished(tenant)
    workers.start()
    ring_until(lambda: make_everything_due() or is_finished(tenant), seconds=90)

    check_that_each_heard_once(campaign, sandbox)
    check_keys(sandbox)


def _is_anything_claimed() -> bool:
    with transaction.atomic():
        return Delivery.objects.filter(state=DeliveryState.CLAIMED).exists()
