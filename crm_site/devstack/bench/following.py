"""From an event accepted to its customer a member: 200 bookings a second, 100 live segments."""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from crm_site.devstack.bench.dataset import TENANT, Size, player_id
from crm_site.devstack.bench.inflow import booking_of
from crm_site.devstack.bench.measuring import Latency
from crm_site.devstack.refreshing import refresh_now
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from customers.sync.ingest import receive
from customers.sync.processing import lock_processing, process_batch
from segments.models import CustomerSegment, SegmentMembershipChange, SegmentRecheck
from segments.services.rechecking import recheck_changed

EVENTS_PER_SECOND, SEGMENTS = 200, 100
TURNS_PER_SECOND = 20
LIMIT_SECONDS = 2.0
GIVE_UP_SECONDS = 60


@dataclass
class _Watch:
    """When each player's event was accepted, and when he was first seen as a member."""

    accepted: dict[str, float] = field(default_factory=dict)
    joined: dict[str, float] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)


def membership_at_once(size: Size, *, seconds: int) -> Latency:
    """Feeds events through the same doors as senders, and does what the two tasks do, beside."""
    _ensure_segments()
    watch, total = _Watch(), EVENTS_PER_SECOND * seconds
    worker = threading.Thread(target=_work, args=[watch])
    worker.start()
    _feed(watch, total)
    deadline = time.perf_counter() + GIVE_UP_SECONDS
    while len(watch.joined) < len(watch.accepted) and time.perf_counter() < deadline:
        time.sleep(0.1)
    watch.is_over.set()
    worker.join()
    waits = [
        watch.joined.get(player, deadline) - accepted for player, accepted in watch.accepted.items()
    ]
    return Latency(
        "Event accepted to member", LIMIT_SECONDS, waits,
        note=f"{EVENTS_PER_SECOND} events/s for {seconds} s, {SEGMENTS} live segments",
    )  # fmt: skip


def _ensure_segments() -> None:
    """Ninety that ask for a booking just now and something else, ten that count bookings. Nobody
    waits from what was measured before.
    """
    with transaction.atomic():
        known = CustomerSegment.objects.live().filter(name__startswith="Follow ")
        CustomerSegment.objects.exclude(pk__in=known).update(is_active=False)
        SegmentRecheck.objects.all().delete()
        names = set(known.values_list("name", flat=True))
    for number in range(SEGMENTS):
        if f"Follow {number}" not in names:
            with transaction.atomic():
                made = CustomerSegment.objects.create(
                    name=f"Follow {number}", criteria=_rules(number), created_by="system:bench"
                )
            refresh_now(made.pk)


def _rules(number: int) -> list[dict[str, object]]:
    hour = {"amount": 1, "unit": "hours"}
    if number == 0:  # Whoever books joins this one.
        return [{"field": "lastBookingAt", "operator": "withinLast", "value": hour}]
    if number % 10 == 0:
        activity = {"activity": {"type": "TEETIME_BOOKED"}, "within": hour}
        return [activity | {"operator": "countAtLeast", "value": number // 10 + 1}]
    return [
        {"field": "lastBookingAt", "operator": "withinLast", "value": hour},
        {
            "field": "sclMemberId",
            "operator": "between",
            "value": [number * 100, number * 100 + 499],
        },
    ]


def _feed(watch: _Watch, total: int) -> None:
    """Accepts so many bookings at an even pace, each of another player."""
    members = _fresh_players(total)
    started, each = time.perf_counter(), EVENTS_PER_SECOND // TURNS_PER_SECOND
    for turn in count():
        players = members[turn * each : (turn + 1) * each]
        if not players:
            return
        pause = started + turn / TURNS_PER_SECOND - time.perf_counter()
        time.sleep(max(pause, 0))
        with transaction.atomic():
            receive([booking_of(player) for player in players])
        watch.accepted |= dict.fromkeys(players, time.perf_counter())


def _fresh_players(total: int) -> list[str]:
    """Players who have not booked in this bench, so that each event lets somebody in.

    Where the club has fewer, the rest are new to it.
    """
    with transaction.atomic():
        fresh = CustomerProfile.objects.filter(last_booking_at__isnull=True)
        wanted = fresh.filter(teetime_player_id__startswith=player_id(0)[:-1])
        rows = wanted.values_list("teetime_player_id", flat=True)[:total]
        found = [player for player in rows if player]
    found += [f"newcomer-{uuid4().hex}" for _ in range(total - len(found))]
    return found


def _work(watch: _Watch) -> None:
    with tenant_scope(TENANT):
        while not watch.is_over.is_set():
            with transaction.atomic():
                lock_processing()
                settled = process_batch(now=timezone.now())
            now = timezone.now()
            done = recheck_changed(now)
            _note(watch, now)
            if not settled and not done.customer_count:
                time.sleep(0.01)
    connection.close()


def _note(watch: _Watch, now: datetime) -> None:
    seen = time.perf_counter()
    with transaction.atomic():
        moved = SegmentMembershipChange.objects.filter(
            segment__name="Follow 0", move="ENTERED", changed_at=now
        )
        players = moved.values_list("customer__teetime_player_id", flat=True)
        watch.joined |= {
            player: seen for player in players if player and player not in watch.joined
        }
