"""Looking again at customers who changed, between two refreshes.

Who changes is written down in the transaction of the change, if any rules read what moved. Then
all segments whose rules read it are asked about all who changed, together, and the difference is
written. How often a segment refreshes does not matter here; what only time moves is left to that.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from crm_site.audit.actor import Actor
from crm_site.db.rows import insert_rows
from crm_site.db.timeouts import statement_timeout
from segments.choices import SegmentType
from segments.models import (
    CustomerSegment,
    CustomerSegmentMembership,
    SegmentMembershipChange,
    SegmentRecheck,
)
from segments.rules.clock import Clock
from segments.rules.grammar import Group
from segments.rules.reads import ANYTHING, membership_of, read_rules
from segments.services.locking import lock_rechecks, try_lock_each
from segments.services.matching import matches_each, tenant_clock
from segments.services.moving import Moves, write_moves
from segments.services.refreshing import request_refresh

ACTOR = Actor.system("segments.recheck")
CUSTOMERS_AT_ONCE = 1_000
SEGMENTS_AT_ONCE = 50
# More waiting than this is an import: everybody is looked at once instead of one by one.
MOST_WAITING = 20_000
ASKING_SECONDS = 2


@dataclass(frozen=True)
class Asked:
    """A segment by rules as it stands now."""

    segment_id: UUID
    group: Group
    reads: frozenset[str]
    is_stale: bool

    def reads_any(self, moved: Collection[str]) -> bool:
        return ANYTHING in moved or not self.reads.isdisjoint(moved)


def segments_by_rules(segment_ids: Collection[UUID] | None = None) -> list[Asked]:
    """What each segment in use asks and reads; none where the tenant has switched this off.

    The index from what moved to whom it concerns: made of the rules as they are stored at this
    moment, parsed once per process (``read_rules``).
    """
    rows = CustomerSegment.objects.live().filter(
        is_active=True,
        type=SegmentType.DYNAMIC,
        broken_reason__isnull=True,
        tenant__keeps_segments_current=True,
    )
    if segment_ids is not None:
        rows = rows.filter(pk__in=segment_ids)
    values = rows.values_list("pk", Cast("criteria", TextField()), "combinator", "is_stale")
    return [
        Asked(segment_id, *read, is_stale)
        for segment_id, criteria, combinator, is_stale in values
        if criteria and (read := read_rules(criteria, combinator)) is not None
    ]


def mark_changed(customer_ids: Sequence[UUID], moved: Collection[str], *, now: datetime) -> int:
    """Have customers looked at again, if any rules read what moved. Returns how many were marked.

    Call it in the transaction of the change; the caller nudges ``segments.recheck`` after it.
    """
    if not any(asked.reads_any(moved) for asked in segments_by_rules()):
        return 0
    ids = dict.fromkeys(customer_ids)
    insert_rows([SegmentRecheck(customer_id=pk, reads=sorted(moved), changed_at=now) for pk in ids])
    return len(ids)


def mark_moved(segment: CustomerSegment, *, changed_at: datetime) -> int:
    """Have those who just entered or left a segment looked at by the segments that ask about it.

    Returns how many were marked. Where very many moved, the askers are refreshed instead.
    """
    name = membership_of(segment.pk)
    askers = [asked for asked in segments_by_rules() if name in asked.reads]
    if not askers:
        return 0
    moves = SegmentMembershipChange.objects.filter(segment=segment, changed_at=changed_at)
    ids = list(moves.values_list("customer_id", flat=True)[: CUSTOMERS_AT_ONCE + 1])
    if len(ids) <= CUSTOMERS_AT_ONCE:
        return mark_changed(ids, [name], now=changed_at)
    _refresh_all(askers, changed_at)
    return 0


@dataclass(frozen=True)
class Recheck:
    """``customer_count`` were looked at; ``is_full`` where more may wait."""

    customer_count: int
    entered_count: int = 0
    left_count: int = 0
    is_full: bool = False


@transaction.atomic
def recheck_changed(now: datetime) -> Recheck:
    """Ask about the customers of the tenant in scope who changed first, and move them.

    A segment that is being refreshed meanwhile is asked about them again afterwards; one whose
    rules are newer than its members waits for its refresh.
    """
    lock_rechecks()
    waiting = SegmentRecheck.objects.order_by("pk")
    rows = list(waiting[:CUSTOMERS_AT_ONCE])
    if not rows:
        return Recheck(0)
    if waiting[MOST_WAITING : MOST_WAITING + 1].exists():
        return _refresh_instead(now)
    asked = _concerned(rows)
    free = try_lock_each([each.segment_id for each in asked])
    # Read again under the lock: rules may have changed before it was ours.
    current = [each for each in segments_by_rules(free) if not each.is_stale]
    ids = {row.customer_id for row in rows}
    moves = _difference(current, ids, tenant_clock(now), now)
    waiting.filter(pk__in=[row.pk for row in rows]).delete()
    _put_off({each.segment_id for each in asked} - free, ids, now)
    write_moves(moves, now=now)
    return Recheck(
        len(ids),
        sum(len(each.entered) for each in moves),
        sum(len(each.left) for each in moves),
        is_full=len(rows) == CUSTOMERS_AT_ONCE,
    )


def _concerned(rows: Iterable[SegmentRecheck]) -> list[Asked]:
    moved, named = set[str](), set[UUID]()
    for row in rows:
        if row.segment_id is None:
            moved.update(row.reads)
        else:
            named.add(row.segment_id)
    return [
        each for each in segments_by_rules() if each.segment_id in named or each.reads_any(moved)
    ]


def _difference(asked: Sequence[Asked], ids: set[UUID], clock: Clock, now: datetime) -> list[Moves]:
    held = _held(asked, ids)
    moves = []
    for start in range(0, len(asked), SEGMENTS_AT_ONCE):
        part = asked[start : start + SEGMENTS_AT_ONCE]
        for each, wanted in _ask(part, ids, clock, now):
            members = held.get(each.segment_id, set())
            if wanted != members:
                moves.append(Moves(each.segment_id, wanted - members, members - wanted))
    return moves


def _held(asked: Iterable[Asked], ids: set[UUID]) -> dict[UUID, set[UUID]]:
    held: dict[UUID, set[UUID]] = {}
    rows = CustomerSegmentMembership.objects.filter(
        customer_id__in=ids, segment_id__in=[each.segment_id for each in asked]
    )
    for segment_id, customer_id in rows.values_list("segment_id", "customer_id"):
        held.setdefault(segment_id, set()).add(customer_id)
    return held


def _ask(
    asked: Sequence[Asked], ids: set[UUID], clock: Clock, now: datetime
) -> list[tuple[Asked, set[UUID]]]:
    """Whom each finds. Rules that the database cannot answer in time are left to a refresh, which
    keeps the reason; they do not hold up the others.
    """
    try:
        with statement_timeout(ASKING_SECONDS):
            found = matches_each([each.group for each in asked], clock, ids)
    except DatabaseError:
        if len(asked) > 1:
            middle = len(asked) // 2
            halves = (asked[:middle], asked[middle:])
            return [pair for half in halves for pair in _ask(half, ids, clock, now)]
        _refresh_all(asked, now)
        return []
    return list(zip(asked, found, strict=True))


def _put_off(segment_ids: Iterable[UUID], ids: Iterable[UUID], now: datetime) -> None:
    insert_rows(
        [
            SegmentRecheck(customer_id=customer_id, segment_id=pk, reads=[], changed_at=now)
            for pk in segment_ids
            for customer_id in ids
        ]
    )


def _refresh_instead(now: datetime) -> Recheck:
    """So many wait that a refresh of the segments they concern is sooner done."""
    waiting = SegmentRecheck.objects.all()
    kinds = waiting.order_by().values_list("reads", "segment_id").distinct()
    rows = [SegmentRecheck(reads=reads, segment_id=pk) for reads, pk in kinds]
    _refresh_all(_concerned(rows), now)
    settled, _ = waiting.delete()
    return Recheck(settled)


def _refresh_all(asked: Iterable[Asked], now: datetime) -> None:
    for each in asked:
        request_refresh(segment_id=each.segment_id, actor=ACTOR, now=now)
