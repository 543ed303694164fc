"""Events in batches of 1,000: stored, profiles brought up to date, activities written."""

import json
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from crm_site.devstack.bench.dataset import TENANT, Size, player_id
from crm_site.devstack.bench.loading import required_columns
from crm_site.devstack.bench.measuring import Comparison, alternate
from customers.models import CustomerProfile
from customers.sync.ingest import receive
from customers.sync.processing import lock_processing, process_batch

BATCH = 1_000
NEW_SHARE = 0.1

# Written by hand, the same two commits: a sender hears 202 once its events are stored; then they
# are processed. It knows nothing of aliases, shared addresses, owners of fields or failures.
STORE = """
INSERT INTO customers_synclog (id, tenant_id, source_service, event_type, event_id, event_payload,
    payload_hash, occurred_at, status, attempts, conflict_count, created_at, next_attempt_at)
SELECT fairway_uuid7(), %(tenant)s, source, type, id, whole,
    encode(sha256(convert_to(whole::text, 'UTF8')), 'hex'), time, 'PENDING', 0, 0, now(), now()
FROM json_array_elements(%(events)s::json) AS whole,
    json_to_record(whole) AS r(id text, source text, type text, time timestamptz)
ON CONFLICT (tenant_id, source_service, event_id) DO NOTHING
"""
PROCESS = """
WITH e AS MATERIALIZED (
    SELECT id AS log_id, event_id, occurred_at AS time, event_payload -> 'data' AS data,
        event_payload -> 'data' -> 'customer' ->> 'teetimePlayerId' AS player,
        event_payload -> 'data' -> 'customer' ->> 'firstName' AS first_name
    FROM customers_synclog
    WHERE tenant_id = %(tenant)s AND next_attempt_at <= now()
    ORDER BY id LIMIT 1000 FOR UPDATE
), people AS (
    INSERT INTO customers_customerprofile AS p (id, tenant_id, created_at, updated_at,
        teetime_player_id, first_name, last_booking_at, last_activity_at, last_activity_type,
        activity_count_30d, activity_count_90d, booking_count_30d, booking_count_90d,
        lifecycle_stage{defaults})
    SELECT fairway_uuid7(), %(tenant)s, now(), now(), player, max(first_name), max(time), max(time),
        'TEETIME_BOOKED', count(*), count(*), count(*), count(*), 'CUSTOMER'{values}
    FROM e GROUP BY player
    ON CONFLICT (tenant_id, teetime_player_id) WHERE deleted_at IS NULL AND merged_at IS NULL
    DO UPDATE SET updated_at = now(),
        last_booking_at = greatest(p.last_booking_at, excluded.last_booking_at),
        last_activity_at = greatest(p.last_activity_at, excluded.last_activity_at),
        last_activity_type = excluded.last_activity_type,
        activity_count_30d = p.activity_count_30d + excluded.activity_count_30d,
        activity_count_90d = p.activity_count_90d + excluded.activity_count_90d,
        booking_count_30d = p.booking_count_30d + excluded.booking_count_30d,
        booking_count_90d = p.booking_count_90d + excluded.booking_count_90d
    RETURNING id, teetime_player_id
), acts AS (
    INSERT INTO customers_activity (id, tenant_id, customer_id, type, category, title, metadata,
        source_service, source_id, source_event_id, occurred_at, processed_at)
    SELECT fairway_uuid7(), %(tenant)s, people.id, 'TEETIME_BOOKED', 'BOOKING',
        'Booked a tee time on ' || (data ->> 'course'), data - 'customer', 'teetime',
        data ->> 'bookingId', event_id, time, now()
    FROM e JOIN people ON people.teetime_player_id = e.player
    RETURNING id, customer_id, source_event_id
)
UPDATE customers_synclog AS log SET status = 'SUCCESS', processed_at = now(), attempts = 1,
    next_attempt_at = NULL, customer_id = acts.customer_id, activity_id = acts.id
FROM e JOIN acts ON acts.source_event_id = e.event_id
WHERE log.id = e.log_id
"""


class _Source:
    """TeeTime, sending bookings: nine of ten by players we know, the tenth by somebody new."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.dice = Random(1)
        self.newcomers = count(1)
        self.run = uuid4().hex[:12]

    def batch(self) -> list[dict[str, Any]]:
        return [self._booking() for _ in range(BATCH)]

    def _booking(self) -> dict[str, Any]:
        if self.dice.random() < NEW_SHARE:
            player = f"new-{self.run}-{next(self.newcomers)}"
        else:
            player = player_id(self.dice.randint(1, self.size.customers))
        return booking_of(player)


def booking_of(player: str) -> dict[str, Any]:
    """A CloudEvent of TeeTime: that player booked just now."""
    now = datetime.now(UTC).isoformat()
    booking = {
        "bookingId": uuid4().hex,
        "clubId": "lagoon",
        "course": "Lagoon Course",
        "teeTime": now,
        "players": 4,
        "price": 52_000,
    }
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "teetime",
        "type": "booking.created",
        "time": now,
        "data": {"customer": {"teetimePlayerId": player, "firstName": "Ann"}, **booking},
    }


def events_in_batches(size: Size, runs: int, *, batches: int = 5) -> Comparison:
    """``batches`` thousands of bookings a turn through both doors' path, against one statement."""
    source = _Source(size)
    comparison = Comparison(
        "Events, in batches of 1,000",
        2.0,
        units=batches * BATCH,
        note="at least half the floor's rate; floor: a statement to store, one to process",
    )
    # Made beforehand, so that only taking them in is measured.
    ours = iter([[source.batch() for _ in range(batches)] for _ in range(runs + 1)])
    floor = iter([[source.batch() for _ in range(batches)] for _ in range(runs + 1)])
    process, defaults = _floor_statement()

    def take_in() -> None:
        for events in next(ours):
            with transaction.atomic():
                receive(events)
            with transaction.atomic():
                lock_processing()
                process_batch(now=timezone.now())

    def by_hand() -> None:
        for events in next(floor):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(STORE, {"events": json.dumps(events), "tenant": TENANT})
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(process, {"tenant": TENANT, **defaults})

    return alternate(comparison, ours=take_in, floor=by_hand, runs=runs)


def _floor_statement() -> tuple[str, dict[str, Any]]:
    named = PROCESS.partition("AS p (")[2].partition("{defaults}")[0].replace("\n", " ").split(",")
    defaults = required_columns(CustomerProfile, {name.strip() for name in named})
    columns = "".join(f", {name}" for name in defaults)
    values = "".join(f", %({name})s" for name in defaults)
    return PROCESS.format(defaults=columns, values=values), defaults
