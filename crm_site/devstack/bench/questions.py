"""Rules asked of everybody: a count of activities, and a hundred segments that stay as they are."""

from django.db import connection, transaction
from django.utils import timezone

from crm_site.devstack.bench.dataset import PREDICATE
from crm_site.devstack.bench.measuring import Comparison, alternate
from crm_site.devstack.bench.refreshes import COUNT, new_segment
from crm_site.devstack.refreshing import refresh_now
from segments.rules.grammar import parse
from segments.services.matching import matching, tenant_clock
from segments.services.previews import preview

BOOKED_TWICE = [
    {
        "activity": {"type": "TEETIME_BOOKED"},
        "operator": "countAtLeast",
        "value": 2,
        "within": {"amount": 90, "unit": "days"},
    }
]
# The best of several forms: count once per customer, then look who is live.
BY_HAND = """
SELECT count(*) FROM customers_customerprofile p JOIN (
    SELECT customer_id FROM customers_activity
     WHERE tenant_id = 'bench' AND type = 'TEETIME_BOOKED'
       AND occurred_at BETWEEN now() - interval '90 days' AND now()
     GROUP BY customer_id HAVING count(*) >= 2
) AS often ON often.customer_id = p.id
WHERE p.tenant_id = 'bench' AND p.deleted_at IS NULL AND p.merged_at IS NULL
"""
FIVE_RULES = [
    {"field": "lifecycleStage", "operator": "equals", "value": "MEMBER"},
    {"field": "bookingCount90d", "operator": "greaterThanOrEqual", "value": 2},
    {"field": "city", "operator": "in", "value": ["Durban", "Ballito", "Umhlanga"]},
    {"field": "emailOptIn", "operator": "isTrue"},
    {"field": "lastActivityAt", "operator": "withinLast", "value": {"amount": 1, "unit": "years"}},
]
FIVE_BY_HAND = f"""
SELECT count(*) FROM customers_customerprofile WHERE {PREDICATE}
   AND fairway_fold(city) IN ('durban', 'ballito', 'umhlanga') AND email_opt_in
   AND last_activity_at BETWEEN now() - interval '1 year' AND now()
"""  # noqa: S608 - ours
SEGMENTS = 100


def activity_count(runs: int) -> Comparison:
    """Two bookings in 90 days, asked of everybody."""

    def ours() -> None:
        with transaction.atomic():
            matching(parse(BOOKED_TWICE), tenant_clock(timezone.now())).count()

    comparison = Comparison("Rule that counts activities", 2.0, note="floor: GROUP BY and a join")
    return alternate(comparison, ours=ours, floor=lambda: _execute(BY_HAND), runs=runs)


def five_rule_preview(runs: int) -> Comparison:
    """A preview with a waterfall of five rules, reach and sample."""

    def ours() -> None:
        with transaction.atomic():
            preview(FIVE_RULES, "AND", now=timezone.now())

    comparison = Comparison("Preview of five rules", 3.0, note="floor: count(*)")
    return alternate(comparison, ours=ours, floor=lambda: _execute(FIVE_BY_HAND), runs=runs)


def hundred_unchanged(runs: int) -> Comparison:
    """A hundred segments looked at again, in which nobody moved."""
    segments = [new_segment(f"Hundred {number}") for number in range(SEGMENTS)]
    for segment_id in segments:
        refresh_now(segment_id)

    def ours() -> None:
        for segment_id in segments:
            refresh_now(segment_id)

    def floor() -> None:
        for _ in segments:
            _execute(COUNT)

    comparison = Comparison("100 segments, nothing changed", 2.5, note="floor: 100 × count(*)")
    return alternate(comparison, ours=ours, floor=floor, runs=runs)


def _execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
