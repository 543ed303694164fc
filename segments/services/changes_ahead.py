"""What saving other rules would change in a segment: who would join it and who would leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection

from crm_site.db.timeouts import statement_timeout
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile
from segments.models import CustomerSegment
from segments.rules.grammar import parse
from segments.rules.references import check_segments
from segments.services.matching import matching, tenant_clock

LIMIT_SECONDS = 5
SHOWN = 5

COMPARE = """
WITH difference AS MATERIALIZED (
    SELECT coalesce(wanted.id, held.customer_id) AS customer_id, held.customer_id IS NULL AS joins
    FROM ({wanted}) AS wanted
    FULL JOIN (
        SELECT customer_id FROM segments_customersegmentmembership
        WHERE tenant_id = %s AND segment_id = %s
    ) AS held ON held.customer_id = wanted.id
    WHERE wanted.id IS NULL OR held.customer_id IS NULL
)
SELECT asked.joins,
       (SELECT count(*) FROM difference AS d WHERE d.joins = asked.joins),
       ARRAY(SELECT customer_id FROM difference AS d WHERE d.joins = asked.joins LIMIT %s)
  FROM (VALUES (true), (false)) AS asked (joins)
"""


@dataclass(frozen=True)
class Side:
    """Those who would join, or leave: how many, and a few of them."""

    count: int
    sample: Sequence[CustomerProfile]


@dataclass(frozen=True)
class ChangesAhead:
    joining: Side
    leaving: Side


def changes_ahead(
    segment: CustomerSegment, rules: Any, combinator: Any, *, now: datetime
) -> ChangesAhead | None:
    """Who would join and leave ``segment`` had it these rules; None if that takes too long.

    Raises RuleError for rules that cannot be asked.
    """
    group = parse(rules, combinator)
    check_segments(group, asked_by=segment.pk)
    wanted, params = (
        matching(group, tenant_clock(now)).order_by().values("id").query.sql_with_params()
    )
    values = [*params, require_tenant_id(), segment.pk, SHOWN]
    try:
        with statement_timeout(LIMIT_SECONDS), connection.cursor() as cursor:
            cursor.execute(COMPARE.format(wanted=wanted), values)
            sides = {joins: (count, ids) for joins, count, ids in cursor.fetchall()}
    except OperationalError:
        return None
    people = CustomerProfile.objects.in_bulk([pk for _, ids in sides.values() for pk in ids])
    joining, leaving = (
        Side(count, [people[pk] for pk in ids if pk in people])
        for count, ids in (sides[True], sides[False])
    )
    return ChangesAhead(joining, leaving)
