"""A campaign to everybody: written down, sent, and what comes back counted."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone

from campaigns.choices import CampaignInteractionType, CampaignStatus
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.services.audience import take_snapshot
from campaigns.services.claims import claim, message_from
from campaigns.services.dispatch import send_due
from campaigns.services.interactions import MessageFact, record_interactions
from campaigns.services.runs import open_run, prepare_run
from crm_site.devstack.bench.dataset import ACTOR, TENANT, Size
from crm_site.devstack.bench.measuring import Comparison, alternate
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import Message, forget_gateway, get_gateway
from crm_site.tenancy.models import Tenant
from segments.models import CustomerSegment

SENT = 20_000  # Messages of each turn, at scale 1.
EVENT_BATCH, EVENT_BATCHES = 1_000, 5
# As long as no turn ever takes.
FOREVER_SECONDS = 3600.0

FILL = """
INSERT INTO segments_customersegmentmembership
    (id, tenant_id, segment_id, customer_id, added_at, matched_at)
SELECT fairway_uuid7(), tenant_id, %s, id, now(), now() FROM customers_customerprofile
WHERE tenant_id = %s ORDER BY id LIMIT %s
"""
# The same rows, knowing nothing but the flag and the address.
SNAPSHOT = """
INSERT INTO campaigns_delivery (id, tenant_id, campaign_id, run_id, customer_id, channel,
    template_id, idempotency_key, state, reason, due_at, settled_at, attempts, created_at,
    updated_at)
SELECT fairway_uuid7(), m.tenant_id, %(campaign)s, %(run)s, m.customer_id, 'EMAIL', 'bench',
    'run:' || %(run)s || ':' || m.customer_id || ':EMAIL',
    CASE WHEN p.email_opt_in AND p.email IS NOT NULL THEN 'PENDING' ELSE 'SUPPRESSED' END,
    CASE WHEN NOT p.email_opt_in THEN 'NO_CONSENT' WHEN p.email IS NULL THEN 'NO_ADDRESS' END,
    now(), CASE WHEN NOT p.email_opt_in OR p.email IS NULL THEN now() END, 0, now(), now()
FROM segments_customersegmentmembership m JOIN customers_customerprofile p ON p.id = m.customer_id
WHERE m.tenant_id = %(tenant)s AND m.segment_id = %(segment)s
"""
INTERACTIONS = """
INSERT INTO campaigns_campaigninteraction (id, tenant_id, campaign_id, customer_id, delivery_id,
    channel, type, source_event_id, occurred_at)
SELECT fairway_uuid7(), %s, %s, customer, delivery, 'EMAIL', 'OPENED', event, now()
FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS f(customer, delivery, event)
ON CONFLICT DO NOTHING
"""
COUNT = "UPDATE campaigns_campaign SET opened_count = opened_count + %s WHERE id = %s"


def snapshot(size: Size, runs: int) -> Comparison:
    """Everybody's message written down, against the bare INSERT … SELECT of the same rows."""
    campaign = _campaign(size.customers)
    comparison = Comparison(
        "Snapshot of an audience", 1.5,
        note=f"{size.customers:,} people; floor: INSERT … SELECT with consent and address",
    )  # fmt: skip

    def ours() -> None:
        with _undone():
            run = _run(campaign)
            take_snapshot(run=run, campaign=campaign, now=timezone.now())

    def floor() -> None:
        with _undone(), connection.cursor() as cursor:
            run = _run(campaign)
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(
                SNAPSHOT,
                {"campaign": campaign.pk, "run": str(run.pk), "tenant": TENANT,
                 "segment": campaign.segment_id},
            )  # fmt: skip

    return alternate(comparison, ours=ours, floor=floor, runs=runs)


def dispatch(size: Size, runs: int) -> list[Comparison]:
    """One worker, and two, against a loop that posts the same batches and writes nothing."""
    count = max(2_000, round(SENT * size.scale))
    one = Comparison("Dispatch, one worker", 2.0, note="at least half the floor's rate")
    two = Comparison("Dispatch, two workers", 1 / 1.5, note="floor: one worker; at least 1.5 ×")
    campaign = _campaign(count, consenting=True)
    taken = _claimed(campaign)
    one.units = two.units = count
    with _stand_in():
        ready = iter([_prepared(campaign) for _ in range(runs + 1)])

        def work() -> None:
            _open(next(ready))
            send_due(TENANT, seconds=FOREVER_SECONDS)

        def post() -> None:
            for batch in taken:
                get_gateway().send_batch(TENANT, batch)

        alternate(one, ours=work, floor=post, runs=runs)
        with _Worker() as first, _Worker() as second:
            again = iter([_prepared(campaign) for _ in range(2 * (runs + 1))])

            def alone() -> None:
                _open(next(again))
                first.start()
                first.wait()

            def together() -> None:
                _open(next(again))
                for worker in (first, second):
                    worker.start()
                for worker in (first, second):
                    worker.wait()

            alternate(two, ours=together, floor=alone, runs=runs)
    return [one, two]


def interactions(size: Size, runs: int) -> Comparison:
    """Openings in batches of 1,000, against one INSERT and one UPDATE to a batch."""
    count = EVENT_BATCH * EVENT_BATCHES
    campaign = _campaign(count, consenting=True)
    prepared = _prepared(campaign)
    with transaction.atomic():
        rows = list(prepared.deliveries.values_list("customer_id", "pk"))[:count]
    comparison = Comparison(
        "Interactions, in batches of 1,000", 2.0, units=len(rows),
        note="at least half the floor's rate; floor: one INSERT, one UPDATE",
    )  # fmt: skip
    batches = [rows[start : start + EVENT_BATCH] for start in range(0, len(rows), EVENT_BATCH)]

    def ours() -> None:
        now = timezone.now()
        for batch in batches:
            with transaction.atomic():
                record_interactions([
                    MessageFact(
                        event_id=str(uuid4()), type=CampaignInteractionType.OPENED,
                        customer_id=customer, channel=Channel.EMAIL, occurred_at=now,
                        campaign_id=campaign.pk, delivery_id=delivery,
                    )
                    for customer, delivery in batch
                ])  # fmt: skip

    def floor() -> None:
        for batch in batches:
            people, messages = [row[0] for row in batch], [row[1] for row in batch]
            events = [str(uuid4()) for _ in batch]
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(INTERACTIONS, [TENANT, campaign.pk, people, messages, events])
                cursor.execute(COUNT, [len(batch), campaign.pk])

    return alternate(comparison, ours=ours, floor=floor, runs=runs)


def work_alone() -> None:
    """What each worker process does: send what is due until nothing is."""
    while send_due(TENANT, seconds=FOREVER_SECONDS):
        pass


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@transaction.atomic
def _campaign(count: int, *, consenting: bool = False) -> Campaign:
    segment = CustomerSegment.objects.create(
        name=f"Bench {uuid4()}", type="STATIC", created_by=ACTOR.id, criteria=[]
    )
    where = FILL.replace("ORDER BY", "AND email_opt_in ORDER BY") if consenting else FILL
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(where, [segment.pk, TENANT, count])
    return Campaign.objects.create(
        name="Bench", segment=segment, channels=[Channel.EMAIL], email_template_id="bench",
        status=CampaignStatus.PAUSED, started_at=timezone.now(), created_by=ACTOR.id,
    )  # fmt: skip


def _run(campaign: Campaign) -> CampaignRun:
    return open_run(campaign=campaign, occurrence_at=timezone.now(), actor=ACTOR)


def _prepared(campaign: Campaign) -> CampaignRun:
    """A run whose audience is written down, of a campaign that still waits."""
    with transaction.atomic():
        twin = Campaign.objects.create(
            name="Bench", segment_id=campaign.segment_id, channels=[Channel.EMAIL],
            email_template_id="bench", status=CampaignStatus.ACTIVE, started_at=timezone.now(),
            created_by=ACTOR.id,
        )  # fmt: skip
        run = prepare_run(_run(twin).pk, timezone.now())
        Campaign.objects.filter(pk=twin.pk).update(status=CampaignStatus.PAUSED)
    if run is None:
        raise RuntimeError("The run was prepared by somebody else.")
    # What autovacuum does within a minute; before that the planner thinks the run empty.
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE campaigns_delivery, segments_customersegmentmembership")
    return run


@transaction.atomic
def _open(run: CampaignRun) -> None:
    Campaign.objects.filter(pk=run.campaign_id).update(status=CampaignStatus.ACTIVE)


def _claimed(campaign: Campaign) -> list[list[Message]]:
    """The batches that a worker would post."""
    run = _prepared(campaign)
    _open(run)
    batches: list[list[Message]] = []
    with transaction.atomic():
        run = CampaignRun.objects.select_related("campaign").get(pk=run.pk)
        tenant, now = Tenant.objects.get(pk=TENANT), timezone.now()
        while (taken := claim(run=run, tenant=tenant, now=now)).items:
            batches.append([message_from(item) for item in taken.items])
        Delivery.objects.filter(run=run).update(state="CANCELLED", settled_at=now)
        CampaignRun.objects.filter(pk=run.pk).update(completed_at=now)
    return batches


class _Worker:
    """A process of its own, started beforehand, that works when told and says when it is done."""

    SCRIPT = (
        "import sys, django; django.setup()\n"
        "from crm_site.devstack.bench.sending import TENANT, work_alone\n"
        "from crm_site.tenancy.context import tenant_scope\n"
        "for line in sys.stdin:\n"
        "    with tenant_scope(TENANT): work_alone()\n"
        "    print('done', flush=True)\n"
    )

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", self.SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip

    def start(self) -> None:
        if self.process.stdin:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()

    def wait(self) -> None:
        if not (self.process.stdout and self.process.stdout.readline()):
            raise RuntimeError("A worker of the bench failed.")

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def _stand_in() -> Iterator[None]:
    command = [sys.executable, "-m", "crm_site.devstack.bench.stand_in"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        url = f"http://127.0.0.1:{port}"
        os.environ.update(MESSAGING_BASE_URL=url, MESSAGING_API_KEY="bench")
        with override_settings(MESSAGING_BASE_URL=url, MESSAGING_API_KEY="bench"):
            forget_gateway()
            yield
    finally:
        process.kill()
        process.wait()
        forget_gateway()
