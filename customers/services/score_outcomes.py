"""What became of people after a day in the past: the answers that models learn from.

Loads numpy: only workers may import this.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import timedelta
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from customers.services.score_facts import OR_NONE, ORDINAL, AsOf

# Who has not renewed so long after the day is taken to have left.
GRACE_DAYS = 30

# A renewal says the day it renews from, an end the day it takes effect (docs/events.md); the
# membership as it is now speaks for who has had neither.
DAY = "CASE WHEN {0} ~ '^\\d{{4}}-\\d\\d-\\d\\d$' THEN ({0})::date END"
FIRST = "(array_agg({} ORDER BY a.occurred_at) FILTER (WHERE {}))[1]"
IS_AFTER = "a.occurred_at > %(now)s"
IS_START = "a.type IN ('MEMBERSHIP_CREATED', 'MEMBERSHIP_RENEWED')"
IS_RENEWAL = "a.type = 'MEMBERSHIP_RENEWED'"
IS_END = "a.type IN ('MEMBERSHIP_LAPSED', 'MEMBERSHIP_RESIGNED')"
HAPPENED = f"""
SELECT a.customer_id,
       count(*) FILTER (WHERE a.type = ANY(%(visits)s) AND {IS_AFTER}
           AND a.occurred_at <= %(until)s) AS visits,
       max(a.occurred_at) FILTER (WHERE {IS_START} AND NOT {IS_AFTER}) AS started_at,
       max(a.occurred_at) FILTER (WHERE {IS_END} AND NOT {IS_AFTER}) AS ended_at,
       min(a.occurred_at) FILTER (WHERE {IS_RENEWAL} AND {IS_AFTER}) AS renewed_at,
       min(a.occurred_at) FILTER (WHERE {IS_END} AND {IS_AFTER}) AS left_at,
       {FIRST.format("a.metadata ->> 'from'", f"{IS_RENEWAL} AND {IS_AFTER}")} AS renewed_from,
       {FIRST.format("a.metadata ->> 'effectiveOn'", f"{IS_END} AND {IS_AFTER}")} AS left_on
  FROM customers_activity a
 WHERE a.tenant_id = %(tenant)s AND a.customer_id = ANY(%(ids)s)
   AND (a.type = ANY(%(visits)s) OR {IS_START} OR {IS_END})
 GROUP BY 1
"""  # noqa: S608 - only conditions of ours are put in.
OUTCOMES = f"""
WITH known AS (
    SELECT asked.id, p.member_since, p.membership_expiry, h.*,
           coalesce(h.left_at < coalesce(h.renewed_at, 'infinity'), false) AS ends
      FROM unnest(%(ids)s::uuid[]) AS asked(id)
      LEFT JOIN customers_customerprofile p ON p.id = asked.id AND p.tenant_id = %(tenant)s
      LEFT JOIN ({HAPPENED}) h ON h.customer_id = asked.id
)
SELECT coalesce(visits, 0)::float8,
       (coalesce(member_since <= (%(now)s AT TIME ZONE %(zone)s)::date, started_at IS NOT NULL)
           AND coalesce(started_at > ended_at, ended_at IS NULL))::int::float8,
       {
    OR_NONE.format(
        ORDINAL.format(
            f"CASE WHEN ends THEN coalesce({DAY.format('left_on')}, left_at::date) "
            f"WHEN renewed_at IS NOT NULL THEN coalesce({DAY.format('renewed_from')}, "
            "renewed_at::date) ELSE membership_expiry END"
        )
    )
},
       ends::int::float8, (renewed_at IS NOT NULL AND NOT ends)::int::float8
  FROM known ORDER BY id
"""  # noqa: S608


@dataclass(frozen=True)
class Outcomes:
    """Of each person, in the order of ids: what happened after the day looked from."""

    visits: NDArray[np.float64]  # times they came until the end of the time looked at
    was_member: NDArray[np.float64]
    due: NDArray[np.float64]  # the ordinal day on which the membership was to be renewed
    ended: NDArray[np.float64]
    renewed: NDArray[np.float64]

    @staticmethod
    def joined(several: Collection["Outcomes"]) -> "Outcomes":
        return Outcomes(
            *(np.concatenate([getattr(one, f.name) for one in several]) for f in fields(Outcomes))
        )


def outcomes_after(ids: Collection[UUID], as_of: AsOf, *, days: int) -> Outcomes:
    """What each of ``ids`` did in the ``days`` after, in the order of their ids."""
    until = as_of.now + timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute(OUTCOMES, as_of.values(ids) | {"until": until})
        rows = cursor.fetchall()
    return Outcomes(*np.array(rows, dtype=np.float64).reshape(len(rows), 5).T)


def members_outcome(
    outcomes: Outcomes, as_of: AsOf, *, days: int, known_until: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whose renewal fell into the ``days`` after and is settled by now; and who left (0 or 1)."""
    due_in = outcomes.due - as_of.today
    has_passed = outcomes.due + GRACE_DAYS < known_until
    settled = (outcomes.ended > 0) | (outcomes.renewed > 0) | has_passed
    chosen = (outcomes.was_member > 0) & (due_in > 0) & (due_in <= days) & settled
    return chosen, (outcomes.renewed == 0).astype(np.float64)
