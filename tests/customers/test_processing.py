"""What becomes of events once they are in: order, failures, replays, and how much it costs."""

import itertools
import threading
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers import tasks
from customers.choices import SyncStatus
from customers.models import Activity, CustomerProfile, SyncLog
from customers.models.sync_log import MAX_ATTEMPTS
from customers.services.replaying import ReplayError, replay_event, replay_events
from customers.signals import activities_recorded
from customers.sync import registry
from customers.sync.ingest import receive
from customers.sync.processing import lock_processing, process_batch
from tests.customers.conftest import event


def person(number, **more):
    return {"email": f"p{number}@example.com", "firstName": "Pat", **more}


def run_due(now=None):
    with transaction.atomic():
        lock_processing()
        return process_batch(now=now or timezone.now())


def test_an_unknown_type_is_skipped_and_can_be_replayed_once_somebody_handles_it(
    tenant, process, actor
):
    [row] = process(event("teetime", "locker.rented", customer=person(1)))

    assert (row.status, row.error) == (SyncStatus.SKIPPED, None)
    assert replay_event(event_id=row.pk, actor=actor).status == SyncStatus.PENDING


def test_a_failure_names_its_field_and_costs_no_other_event(tenant, process):
    bad = event(customer=person(1, phoneNumber="12"))
    nobody = event(customer={})
    missing = event()
    good = event(customer=person(2))

    rows = process(bad, nobody, missing, good)

    assert [row.status for row in rows] == ["FAILED", "FAILED", "FAILED", "SUCCESS"]
    assert "data.customer.phoneNumber" in rows[0].error
    assert "data.customer" in rows[1].error
    assert CustomerProfile.objects.count() == 1


def test_a_failure_is_tried_again_with_growing_delay_and_then_left(tenant, process):
    sent = event(customer={})
    [row] = process(sent)
    delays = []

    for _ in range(MAX_ATTEMPTS - 1):
        delays.append(row.next_attempt_at - row.processed_at)
        assert run_due(row.next_attempt_at - timedelta(seconds=1)) == 0
        assert run_due(row.next_attempt_at) == 1
        row.refresh_from_db()

    assert delays == sorted(delays)
    assert delays[0] == timedelta(seconds=10)
    assert (row.attempts, row.next_attempt_at) == (MAX_ATTEMPTS, None)
    assert run_due(timezone.now() + timedelta(days=365)) == 0


def test_staff_replay_what_was_given_up(tenant, other_tenant, process, actor):
    [row] = process(event(customer={}))
    SyncLog.objects.update(next_attempt_at=None, attempts=MAX_ATTEMPTS)

    assert replay_events(actor=actor) == 1

    row.refresh_from_db()
    assert (row.status, row.attempts) == (SyncStatus.PENDING, 0)
    with tenant_scope(other_tenant.pk), pytest.raises(ReplayError):
        replay_event(event_id=row.pk, actor=actor)


def test_what_is_done_cannot_be_done_twice(tenant, process, actor):
    paid = event("scl", "payment.received", customer=person(1), amount=500, currency="ZAR")
    [row] = process(paid)

    with pytest.raises(ReplayError, match="done already"):
        replay_event(event_id=row.pk, actor=actor)
    assert replay_events(actor=actor, statuses=["SUCCESS"]) == 0
    assert CustomerProfile.objects.get().lifetime_value == 500


def test_an_event_the_database_refuses_costs_no_other(tenant, process):
    def explode(processed):
        if any(item.event.data.get("bookingId") == "poison" for item in processed):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

    sent = [event(customer=person(n)) for n in range(20)]
    sent[7]["data"]["bookingId"] = "poison"
    with patch.dict(registry._followers, {("teetime", "booking.created"): [explode]}):
        rows = process(*sent)

    assert [n for n, row in enumerate(rows) if row.status != SyncStatus.SUCCESS] == [7]
    assert "division by zero" in rows[7].error
    assert (CustomerProfile.objects.count(), Activity.objects.count()) == (19, 19)


def test_a_translator_with_a_bug_costs_its_own_event_only(tenant, process):
    def broken(event):
        raise KeyError("oops")

    with patch.dict(registry._translators, {("teetime", "player.created"): broken}):
        rows = process(
            event("teetime", "player.created", customer=person(1)), event(customer=person(2))
        )

    assert [row.status for row in rows] == ["FAILED", "SUCCESS"]
    assert "oops" in rows[0].error


def test_followers_hear_once_of_what_succeeded(tenant, process):
    heard = []
    with patch.dict(registry._followers, {("teetime", "booking.created"): [heard.append]}):
        rows = process(event(customer=person(1)), event(customer={}), event(customer=person(2)))

    [batch] = heard
    assert [item.event.id for item in batch] == [rows[0].event_id, rows[2].event_id]
    assert [item.activity_id for item in batch] == [rows[0].activity_id, rows[2].activity_id]
    assert {item.customer_id for item in batch} == set(
        CustomerProfile.objects.values_list("pk", flat=True)
    )


def test_one_signal_carries_the_activities_of_a_batch(tenant, process):
    heard = []

    def listen(sender, activities, **kwargs):
        heard.append(activities)

    activities_recorded.connect(listen)
    try:
        process(*(event(customer=person(n)) for n in range(5)))
    finally:
        activities_recorded.disconnect(listen)

    assert [len(batch) for batch in heard] == [5]


def test_a_batch_costs_as_many_statements_for_1000_events_as_for_100(tenant):
    def mixed(size, start):
        kinds = itertools.cycle(
            [
                ("teetime", "booking.created", {}),
                ("scl", "payment.received", {"amount": 100, "currency": "ZAR"}),
                ("scl", "member.updated", {"membershipTier": "Gold"}),
                (
                    "messaging",
                    "contactPreference.updated",
                    {"channel": "SMS", "optedIn": True, "changedAt": "2026-11-01T00:00:00Z"},
                ),
            ]
        )
        for number in range(size):
            source, kind, data = next(kinds)
            # Half of them are new people, the others come again with another phone.
            who = person(start + number // 2, phoneNumber=f"08255{start + number:05d}")
            yield event(source, kind, customer=who, **data)

    counts = []
    for size, start in ((100, 0), (1_000, 1_000)):
        receive(list(mixed(size, start)))
        with CaptureQueriesContext(connection) as queries:
            assert run_due() == size
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 25
    assert not SyncLog.objects.exclude(status=SyncStatus.SUCCESS).exists()


def test_a_nudge_is_one_task_until_it_is_its_turn(tenant):
    with patch.object(tasks.process_events, "delay") as delay:
        tasks.nudge(tenant.pk)
        tasks.nudge(tenant.pk)
        assert delay.call_count == 1

        receive([event(customer=person(1))])
        tasks.process_events(tenant.pk)
        tasks.nudge(tenant.pk)

    assert delay.call_count == 2
    assert SyncLog.objects.get().status == SyncStatus.SUCCESS


def test_a_backlog_queues_the_next_batch(tenant):
    receive([event(customer=person(n)) for n in range(3)])

    with (
        patch.object(tasks, "BATCH_SIZE", 2),
        patch("customers.sync.processing.BATCH_SIZE", 2),
        patch.object(tasks.process_events, "delay") as delay,
    ):
        assert tasks.process_events(tenant.pk) == 2
        assert delay.call_count == 1
        assert tasks.process_events(tenant.pk) == 1
        assert delay.call_count == 1


def test_the_sweep_rings_for_each_tenant_with_due_events(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        receive([event(customer=person(1))])

    with tenant_scope(""), patch.object(tasks.process_events, "delay") as delay:
        assert tasks.process_due() == 1

    delay.assert_called_once_with(other_tenant.pk)


def test_tenants_do_not_share_customers_events_or_nudges(tenant, other_tenant, process):
    process(event(customer=person(1)))

    with tenant_scope(other_tenant.pk):
        process(event(customer=person(1)))
        assert CustomerProfile.objects.count() == SyncLog.objects.count() == 1
    assert CustomerProfile.objects.count() == SyncLog.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_batches_at_one_moment_make_one_profile_of_one_person(tenant):
    """A worker and a request meet the same new person; both are in a transaction at once."""
    from crm_site.audit.actor import Actor
    from customers.services.profiles import upsert_profiles

    with transaction.atomic():
        receive([event(customer=person(1)) for _ in range(5)])
    start, errors = threading.Barrier(4), []

    def in_thread(work):
        try:
            start.wait()
            with tenant_scope(tenant.pk), transaction.atomic():
                work()
        except Exception as error:  # noqa: BLE001 - Shown below.
            errors.append(error)
        finally:
            connection.close()

    def upsert():
        upsert_profiles([{"email": "P1@example.com", "city": "Durban"}], actor=Actor("key:test"))

    threads = [
        threading.Thread(target=in_thread, args=[work])
        for work in (run_due, upsert, run_due, upsert)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert errors == []
    with transaction.atomic():
        assert CustomerProfile.objects.get().booking_count_30d == 5
        assert Activity.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_leaves_its_batch_as_it_was(tenant):
    with transaction.atomic():
        receive([event(customer=person(1))])

    def die(processed):
        raise SystemExit  # As far as the database can tell, a kill: no commit.

    killer = patch.dict(registry._followers, {("teetime", "booking.created"): [die]})
    with killer, pytest.raises(SystemExit):
        run_due()

    with transaction.atomic():
        assert (SyncLog.objects.get().attempts, CustomerProfile.objects.count()) == (0, 0)
        assert run_due() == 1
    cache.clear()
