"""Real workers and a real Messaging sandbox for tests, and how they are judged.

What the sandbox accepted is compared with the ledger and with the people who consented, one by one.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from campaigns import tasks
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, Delivery
from campaigns.services.statistics import rebuild_statistics
from crm_site.devstack.sandbox import SandboxControl
from crm_site.tenancy.context import local_settings, tenant_scope
from customers.models import CustomerProfile
from segments.models import CustomerSegmentMembership
from tests.campaigns.builders import consent_writing, make_campaign, make_segment
from tests.factories import make_customer

QUICK = {
    "DELIVERY_LEASE_SECONDS": "6",
    "MESSAGING_TIMEOUT_SECONDS": "3",
    "DISPATCH_LANE_SECONDS": "3",
}


class Processes:
    """A Celery process of Fairway's, with its children in a process group of its own."""

    arguments: tuple[str, ...] = ()

    def __init__(self, directory: Path, messaging_url: str) -> None:
        self.log = (directory / f"{self.arguments[0]}.log").open("ab")
        self.environment = {**os.environ, **QUICK, "MESSAGING_BASE_URL": messaging_url,
                            "MESSAGING_API_KEY": "sandbox"}  # fmt: skip
        self.process = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "crm_site", *self.arguments],
            env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def keep_running(self) -> None:
        """What a supervisor does for a process that ended."""
        if self.process and self.process.poll() is not None:
            self.start()

    def kill_everything(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.kill_everything()
        self.log.close()


class Workers(Processes):
    """One `celery worker` with two children."""

    arguments = ("worker", "-Q", "dispatch,default", "--concurrency", "2",
                 "--without-gossip", "--without-mingle", "--without-heartbeat")  # fmt: skip

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def kill_parent(self) -> None:
        """The parent alone; its children notice."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_one_child(self, dice: random.Random) -> None:
        if children := self.children():
            os.kill(dice.choice(children), signal.SIGKILL)


class Beat(Processes):
    arguments = ("beat", "--pidfile=")


def make_audience(size: int, *, start: int = 0) -> Campaign:
    """A campaign of the tenant in scope for ``size`` people, every tenth without consent.

    Copied in the database from one of each, since a hundred thousand may be wanted. ``start`` is
    the first one's number, for a second audience in the same club.
    """
    with consent_writing(), local_settings(audit="off"), transaction.atomic():
        first = make_customer(first_name=f"N{start}", email=f"n{start}@example.com")
        segment = make_segment(first)
        _copy(
            first,
            f"generate_series({start + 1}, {start + size - 1}) AS n",
            first_name="'N' || n",
            email="'n' || n || '@example.com'",
            email_opt_in="mod(n, 10) <> 0",
        )
        _copy(
            CustomerSegmentMembership.objects.get(segment=segment),
            f"customers_customerprofile p WHERE p.last_name = '{first.last_name}' "
            f"AND p.id <> '{first.pk}' AND p.tenant_id = m.tenant_id",
            customer_id="p.id",
        )
        campaign = make_campaign(segment=segment)
    _analyze()
    return campaign


def _analyze() -> None:
    """What autovacuum does within a minute. A planner that thinks a club of fifty thousand empty
    takes half a minute to a claim, which is then cut off and tried again.
    """
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("ANALYZE customers_customerprofile, segments_customersegmentmembership")


def _copy(row, source: str, **changed: str) -> None:
    """Repeat ``row`` once for each row of ``source``, with SQL for what differs."""
    kept = [each.column for each in row._meta.concrete_fields if not each.primary_key]
    kept = [column for column in kept if column not in changed]
    table, key = row._meta.db_table, row._meta.pk.column
    has_where = " WHERE " in source
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            f"INSERT INTO {table} ({', '.join([key, *changed, *kept])}) "
            f"SELECT fairway_uuid7(), {', '.join([*changed.values(), *(f'm.{c}' for c in kept)])} "
            f"FROM {table} m, {source} {'AND' if has_where else 'WHERE'} m.{key} = %s",
            [row.pk],
        )


def ring_until(condition, *, seconds: float) -> None:
    """What the beat does, until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"It took too long: {how_it_stands()}"
        with tenant_scope(""):  # The beat works in nobody's scope.
            tasks.dispatch_due()
        time.sleep(0.3)


def wait_until(condition, *kept: Processes, seconds: float) -> None:
    """The same while the beat is a process of its own; those ``kept`` are kept running."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"It took too long: {how_it_stands()}"
        for each in kept:
            each.keep_running()
        time.sleep(0.2)


def how_it_stands() -> dict:
    """Deliveries of the tenant in scope by state, attempts and failures."""
    with transaction.atomic():
        return Counter(Delivery.objects.values_list("state", "attempts", "failures"))


def is_finished(tenant) -> bool:
    with tenant_scope(tenant.pk), transaction.atomic():
        return Campaign.objects.get().status == CampaignStatus.COMPLETED


def make_everything_due() -> None:
    """Spare the test the wait between attempts; leases are left alone."""
    with transaction.atomic():
        Delivery.objects.filter(state__in=["PENDING", "UNKNOWN"]).update(due_at=timezone.now())


def check_that_each_heard_once(campaign: Campaign, sandbox: SandboxControl) -> None:
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


def check_keys(sandbox: SandboxControl) -> None:
    """One body (and so one person) and one tenant to a key, on every attempt; all in the ledger."""
    bodies: dict[str, set[tuple[str, str]]] = {}
    for attempt in sandbox.attempts():
        bodies.setdefault(attempt["key"], set()).add((attempt["tenant"], attempt["body_hash"]))
    assert all(len(found) == 1 for found in bodies.values())
    with transaction.atomic():
        ledger = set(Delivery.objects.values_list("idempotency_key", flat=True))
    assert set(bodies) <= ledger
