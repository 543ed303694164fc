"""A segment of 130,000: found again unchanged, and filled for the first time."""

from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from crm_site.devstack.bench.dataset import CRITERIA, PREDICATE
from crm_site.devstack.bench.measuring import Comparison, alternate
from crm_site.devstack.refreshing import refresh_now
from segments.models import CustomerSegment

COUNT = f"SELECT count(*) FROM customers_customerprofile WHERE {PREDICATE}"  # noqa: S608 - ours
FILL = f"""
INSERT INTO segments_customersegmentmembership
    (id, tenant_id, segment_id, customer_id, added_at, matched_at)
SELECT fairway_uuid7(), tenant_id, %s, id, %s, %s FROM customers_customerprofile WHERE {PREDICATE}
"""  # noqa: S608 - ours


def unchanged_refresh(runs: int) -> Comparison:
    """A refresh that finds everybody where they were, against a bare count of the predicate."""
    segment_id = new_segment("Unchanged")
    refresh_now(segment_id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT)
        (members,) = cursor.fetchone()
    comparison = Comparison(
        "Refresh, nothing changed", 2.5, note=f"{members:,} members; floor: count(*)"
    )
    return alternate(
        comparison, ours=lambda: refresh_now(segment_id), floor=lambda: _execute(COUNT), runs=runs
    )


def first_fill(runs: int) -> Comparison:
    """A new segment's first refresh, against the bare INSERT … SELECT of its memberships."""
    comparison = Comparison("Refresh, first fill", 1.5, note="floor: INSERT … SELECT")
    # Made beforehand: what is measured is the filling.
    ours = iter([new_segment(f"Ours {turn}") for turn in range(runs + 1)])
    floor = iter([new_segment(f"Floor {turn}") for turn in range(runs + 1)])

    def fill() -> None:
        now = timezone.now()
        _execute(FILL, [next(floor), now, now])

    return alternate(comparison, ours=lambda: refresh_now(next(ours)), floor=fill, runs=runs)


def _execute(statement: str, values: list[object] | None = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)  # type: ignore[arg-type]


def new_segment(name: str) -> UUID:
    with transaction.atomic():
        segment = CustomerSegment.objects.create(
            name=f"{name} {timezone.now().isoformat()}",
            criteria=CRITERIA,
            created_by="system:bench",
        )
    return segment.pk
