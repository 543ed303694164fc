"""Reading what models look at, and of whom each is asked.

Loads numpy: only workers may import this.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from crm_site.access.services import tenant_in_scope
from crm_site.tenancy.context import require_tenant_id
from customers.services.score_facts import (
    OR_NONE,
    ORDINAL,
    AsOf,
    People,
    Visits,
    people_as_of,
    read_visits,
)
from segments.choices import SmartModel
from segments.models import CustomerSegmentMembership
from segments.rules.smart import SmartQuestion
from segments.scoring.looks import Seen, both, look_at_activity, look_at_person

Chosen = NDArray[np.bool_]
# Who came within so many days can lapse; who did not, but within so many, can come back.
PRESENT_DAYS, ABSENT_DAYS, LOST_DAYS = 182, 91, 730

PERSON = f"""
SELECT {OR_NONE.format(ORDINAL.format("p.date_of_birth"))},
       {OR_NONE.format("p.handicap::float8")}
  FROM unnest(%s::uuid[]) AS asked(id)
  LEFT JOIN customers_customerprofile p ON p.id = asked.id AND p.tenant_id = %s
 ORDER BY asked.id
"""  # noqa: S608 - only expressions of ours are put in.


@dataclass(frozen=True)
class Past:
    """The tenant's weeks as they are known now, to look back from any day."""

    visits: Visits
    zone: str
    now: datetime

    def as_of(self, days_ago: int = 0) -> AsOf:
        return self.visits.as_of(self.now - timedelta(days=days_ago), self.zone)

    @property
    def days_known(self) -> int:
        first = self.visits.first
        return self.as_of().today - first if first is not None else 0


def read_past(now: datetime) -> Past:
    with transaction.atomic():
        zone = tenant_in_scope().time_zone
        return Past(read_visits(now=now, zone=zone), zone, now)


@dataclass(frozen=True)
class Group:
    """Some customers, in the order of their ids, and what a model sees of them."""

    people: People
    seen: Seen


def look_at(ids: Collection[UUID], as_of: AsOf, *, model: SmartModel) -> Group:
    """Everybody of ``ids`` as of a day. Who they are counts for a look-alike only."""
    with transaction.atomic():
        people = people_as_of(ids, as_of)
        seen = look_at_activity(people.facts, as_of.clock, as_of.today)
        if model is SmartModel.LOOKALIKE:
            born, handicap = _person(ids)
            seen = both(seen, look_at_person(people.facts, born, handicap, as_of.today))
    return Group(people, seen)


def _person(ids: Collection[UUID]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with connection.cursor() as cursor:
        cursor.execute(PERSON, [list(ids), require_tenant_id()])
        table = np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def asked_of(question: SmartQuestion, people: People, today: int, members: set[UUID]) -> Chosen:
    """Of whom the question makes sense. ``members``: of the segment others are to be like."""
    silent = today - people.facts.last_visit  # NaN, and so neither, for who never came.
    match question.model:
        case SmartModel.LAPSE:
            return (silent <= PRESENT_DAYS) & (people.facts.has_left == 0)
        case SmartModel.RETURN:
            return (silent > ABSENT_DAYS) & (silent <= LOST_DAYS)
        case SmartModel.LOOKALIKE:
            return np.array([pk not in members for pk in people.ids], dtype=np.bool_)


def members_of(segment_id: UUID | None) -> set[UUID]:
    if segment_id is None:
        return set()
    with transaction.atomic():
        rows = CustomerSegmentMembership.objects.filter(
            segment=segment_id, customer__deleted_at__isnull=True, customer__merged_at__isnull=True
        )
        return set(rows.values_list("customer_id", flat=True))
