"""Reading what scores are made of: a handful of set-based questions for some thousand people.

Loads numpy: only workers may import this.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from crm_site.tenancy.context import require_tenant_id
from customers.scoring.clock import WEEKS_WEIGHED, YEAR_WEEKS, PlayClock, clock_of
from customers.scoring.engagement import FADING_DAYS
from customers.scoring.facts import FACT_NAMES, Facts

CHUNK_SIZE = 20_000
# By one of these somebody came; who tells of no rounds has bookings stand for them.
VISITS = ("ROUND_PLAYED", "COMPETITION_RESULT", "PAYMENT_RECEIVED")
LOOKS = ("MESSAGE_OPENED", "MESSAGE_CLICKED")
RECENT_DAYS, YEAR_DAYS = 90, 365

# A date as Python's ordinal; NaN for none, so that rows become an array at once.
ORDINAL = "({} - DATE '0001-01-01' + 1)::float8"
OR_NONE = "coalesce({}, 'NaN'::float8)"


@dataclass(frozen=True)
class AsOf:
    """A moment to look back from: ``today`` is its day in the tenant's zone, as an ordinal."""

    now: datetime
    zone: str
    clock: PlayClock
    visit_types: tuple[str, ...]

    @property
    def today(self) -> int:
        return self.now.astimezone(ZoneInfo(self.zone)).date().toordinal()

    def values(self, ids: Collection[UUID]) -> dict[str, Any]:
        today = self.today
        return {
            "tenant": require_tenant_id(),
            "ids": list(ids),
            "now": self.now,
            "zone": self.zone,
            "visits": list(self.visit_types),
            "types": [*self.visit_types, *LOOKS],
            "today": today,
            "since_90": self.clock.back(today, RECENT_DAYS),
            "since_180": self.clock.back(today, FADING_DAYS),
            "since_year": today - YEAR_DAYS,
            "since_looks": today - RECENT_DAYS,
        }


# Served by activity_timeline. Amounts are ours only where SCL told them (see spending.py).
DAYS = f"""
SELECT a.customer_id, {ORDINAL.format("(a.occurred_at AT TIME ZONE %(zone)s)::date")} AS day,
       bool_or(a.type = ANY(%(visits)s)) AS visited,
       count(*) FILTER (WHERE a.type IN ('ROUND_PLAYED', 'TEETIME_BOOKED')) AS rounds,
       count(*) FILTER (WHERE a.type = 'COMPETITION_RESULT') AS competitions,
       count(*) FILTER (WHERE a.type = 'PAYMENT_RECEIVED') AS payments,
       coalesce(sum((a.metadata ->> 'amount')::numeric) FILTER (
           WHERE a.type = 'PAYMENT_RECEIVED' AND a.source_service = 'scl'), 0)::float8 AS paid,
       count(*) FILTER (WHERE a.type = 'MESSAGE_OPENED') AS opens,
       count(*) FILTER (WHERE a.type = 'MESSAGE_CLICKED') AS clicks
  FROM customers_activity a
 WHERE a.tenant_id = %(tenant)s AND a.customer_id = ANY(%(ids)s)
   AND a.type = ANY(%(types)s) AND a.occurred_at <= %(now)s
 GROUP BY 1, 2
"""  # noqa: S608 - only expressions of ours are put in.
DID = f"""
SELECT customer_id,
       min(day) FILTER (WHERE visited) AS first_visit,
       max(day) FILTER (WHERE visited) AS last_visit,
       count(*) FILTER (WHERE visited) AS visit_days,
       count(*) FILTER (WHERE visited AND day >= %(since_90)s) AS visits_90,
       count(*) FILTER (WHERE visited AND day >= %(since_180)s AND day < %(since_90)s)
           AS visits_before,
       count(*) FILTER (WHERE visited AND day > %(since_year)s) AS visits_year,
       sum(rounds) FILTER (WHERE day >= %(since_90)s) AS rounds_90,
       sum(competitions) FILTER (WHERE day >= %(since_90)s) AS competitions_90,
       sum(payments) FILTER (WHERE day >= %(since_90)s) AS payments_90,
       sum(rounds) FILTER (WHERE day >= %(since_180)s) AS rounds_180,
       sum(competitions) FILTER (WHERE day >= %(since_180)s) AS competitions_180,
       sum(payments) FILTER (WHERE day >= %(since_180)s) AS payments_180,
       sum(opens) FILTER (WHERE day > %(since_looks)s) AS opens,
       sum(clicks) FILTER (WHERE day > %(since_looks)s) AS clicks,
       min(day) FILTER (WHERE paid > 0) AS first_paid,
       max(day) FILTER (WHERE paid > 0) AS last_paid,
       count(*) FILTER (WHERE paid > 0) AS paid_days,
       sum(paid) AS paid_total,
       sum(paid) - (array_agg(paid ORDER BY day) FILTER (WHERE paid > 0))[1] AS paid_again,
       sum(paid) FILTER (WHERE day > %(since_year)s) AS paid_year
  FROM ({DAYS}) AS days
 GROUP BY customer_id
"""  # noqa: S608 - only statements of ours are put in.
OF_PROFILE = {
    "is_member": (
        "coalesce(p.membership_tier IS NOT NULL AND p.lifecycle_stage <> 'CHURNED', false)"
        "::int::float8"
    ),
    "has_left": "coalesce(p.lifecycle_stage = 'CHURNED', false)::int::float8",
    "member_since": OR_NONE.format(ORDINAL.format("p.member_since")),
    "expiry": OR_NONE.format(ORDINAL.format("p.membership_expiry")),
}
NONE_IF_NEVER = ("first_visit", "last_visit", "first_paid", "last_paid")
OTHERWISE = dict.fromkeys(NONE_IF_NEVER, "'NaN'")
COLUMNS = ", ".join(
    OF_PROFILE.get(name) or f"coalesce(did.{name}, {OTHERWISE.get(name, '0')})::float8"
    for name in FACT_NAMES
)
FACTS = f"""
SELECT asked.id, coalesce(p.lifetime_value, 0)::float8, {COLUMNS}
  FROM unnest(%(ids)s::uuid[]) AS asked(id)
  LEFT JOIN customers_customerprofile p ON p.id = asked.id AND p.tenant_id = %(tenant)s
  LEFT JOIN ({DID}) AS did ON did.customer_id = asked.id
 ORDER BY asked.id
"""  # noqa: S608


@dataclass(frozen=True)
class People:
    """Some customers, what each has spent so far in cents, and what is known of them."""

    ids: list[UUID]
    spent: NDArray[np.float64]
    facts: Facts

    def __len__(self) -> int:
        return len(self.ids)


def people_as_of(ids: Collection[UUID], as_of: AsOf) -> People:
    """Each of ``ids``, in order: as many as were asked for, whoever left in the meantime."""
    with connection.cursor() as cursor:
        cursor.execute(FACTS, as_of.values(ids))
        rows = cursor.fetchall()
    facts = Facts.of([row[2:] for row in rows])
    return People([row[0] for row in rows], np.array([row[1] for row in rows]), facts)


# Ids end in random bits, so their last two bytes draw a sample that stays the same.
NEXT_IDS = """
SELECT id FROM customers_customerprofile
 WHERE tenant_id = %(tenant)s AND id > %(after)s AND deleted_at IS NULL AND merged_at IS NULL
   AND (get_byte(uuid_send(id), 14) * 256 + get_byte(uuid_send(id), 15)) < %(share)s * 65536
 ORDER BY id LIMIT %(size)s
"""


def chunks_of_ids(*, share: float = 1.0, size: int = CHUNK_SIZE) -> Iterator[list[UUID]]:
    """Ids of all live customers, or of a ``share`` of them, in order, in a transaction each."""
    after = UUID(int=0)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            drawn: dict[str, Any] = {"after": after, "share": share, "size": size}
            cursor.execute(NEXT_IDS, drawn | {"tenant": require_tenant_id()})
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return
        yield ids
        after = ids[-1]


# Served by activity_type.
WEEKS = f"""
SELECT {ORDINAL.format("date_trunc('week', occurred_at AT TIME ZONE %(zone)s)::date")}::int, type,
       count(*)
  FROM customers_activity
 WHERE tenant_id = %(tenant)s AND type = ANY(%(types)s) AND occurred_at <= %(now)s
   AND occurred_at > %(now)s - %(weeks)s * interval '7 days'
 GROUP BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True)
class Visits:
    """How often people came in the week of each Monday, and what counts as coming."""

    by_week: Mapping[int, int]
    types: tuple[str, ...]

    @property
    def first(self) -> int | None:
        """The first Monday anything is known of."""
        return min(self.by_week, default=None)

    def as_of(self, now: datetime, zone: str) -> AsOf:
        """To look back from ``now``, knowing only what was known then."""
        today = now.astimezone(ZoneInfo(zone)).date().toordinal()
        known = {monday: count for monday, count in self.by_week.items() if monday < today}
        return AsOf(now, zone, clock_of(known, today), self.types)


def read_visits(*, now: datetime, zone: str) -> Visits:
    """The tenant's weeks up to ``now``, as far back as any of them is weighed."""
    weeks = WEEKS_WEIGHED + 2 * YEAR_WEEKS
    types = [*VISITS, "TEETIME_BOOKED"]
    values: dict[str, Any] = {
        "tenant": require_tenant_id(), "now": now, "zone": zone, "types": types, "weeks": weeks
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(WEEKS, values)
        rows: Sequence[tuple[int, str, int]] = cursor.fetchall()
    tells_rounds = any(kind == "ROUND_PLAYED" for _, kind, _ in rows)
    counted = VISITS if tells_rounds else (*VISITS, "TEETIME_BOOKED")
    by_week: dict[int, int] = {}
    for monday, kind, count in rows:
        if kind in counted:
            by_week[monday] = by_week.get(monday, 0) + count
    return Visits(by_week, counted)
