"""How much a customer did lately. One statement says what counts; everybody asks it.

The 30 and the 90 days are whole days of the tenant's zone before today, and today so far. So a
counter is right all day long once it was renewed after midnight: it moves with what people do.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile

COUNTERS = ("activity_count_30d", "activity_count_90d", "booking_count_30d", "booking_count_90d")
# What we send somebody is not something they did.
PASSIVE_TYPES = ("MESSAGE_SENT", "MESSAGE_DELIVERED", "MESSAGE_BOUNCED")
CHUNK_SIZE = 10_000

# A booking counts from when it was made, until it is cancelled. Served by activity_timeline.
RECENT = """
WITH days AS (
    SELECT (today - interval '30 days') AT TIME ZONE zone AS since_30,
           (today - interval '90 days') AT TIME ZONE zone AS since_90
      FROM (SELECT date_trunc('day', %(now)s AT TIME ZONE time_zone) AS today, time_zone AS zone
              FROM tenancy_tenant WHERE id = %(tenant)s) AS tenant
)
SELECT did.customer_id,
       count(*) FILTER (WHERE is_active AND is_recent) AS activity_count_30d,
       count(*) FILTER (WHERE is_active) AS activity_count_90d,
       count(*) FILTER (WHERE is_booking AND is_recent) AS booking_count_30d,
       count(*) FILTER (WHERE is_booking) AS booking_count_90d
  FROM (
    SELECT a.customer_id,
           a.type <> ALL(%(passive)s) AND a.category <> 'SYSTEM' AS is_active,
           a.occurred_at >= (SELECT since_30 FROM days) AS is_recent,
           a.type = 'TEETIME_BOOKED' AND NOT (a.source_id IS NOT NULL
               AND bool_or(a.type = 'TEETIME_CANCELLED') OVER booking) AS is_booking
      FROM customers_activity a
     WHERE a.tenant_id = %(tenant)s AND a.customer_id = ANY(%(ids)s)
       AND a.occurred_at >= (SELECT since_90 FROM days) AND a.occurred_at <= %(now)s
    WINDOW booking AS (PARTITION BY a.customer_id, a.category, a.source_id)
  ) AS did
 GROUP BY did.customer_id
"""
RENEW = f"""
UPDATE customers_customerprofile AS held
   SET ({", ".join(COUNTERS)}) = ROW({", ".join(f"now.{name}" for name in COUNTERS)})
  FROM (
    SELECT ids.id, {", ".join(f"coalesce(recent.{name}, 0) AS {name}" for name in COUNTERS)}
      FROM unnest(%(ids)s) AS ids(id)
      LEFT JOIN ({RECENT}) AS recent ON recent.customer_id = ids.id
  ) AS now
 WHERE held.id = now.id AND held.tenant_id = %(tenant)s
   AND ({", ".join(f"held.{name}" for name in COUNTERS)})
       IS DISTINCT FROM ({", ".join(f"now.{name}" for name in COUNTERS)})
"""  # noqa: S608 - Only names of ours are put in.


def _values(customer_ids: Collection[UUID], now: datetime) -> dict[str, Any]:
    return {
        "ids": list(customer_ids),
        "now": now,
        "tenant": require_tenant_id(),
        "passive": list(PASSIVE_TYPES),
    }


def recent_counts(customer_ids: Collection[UUID], *, now: datetime) -> dict[UUID, tuple[int, ...]]:
    """Values of ``COUNTERS`` by customer; who did nothing for 90 days is not in it."""
    with connection.cursor() as cursor:
        cursor.execute(RECENT, _values(customer_ids, now))
        return {row[0]: row[1:] for row in cursor.fetchall()}


def renew_counters(*, now: datetime) -> int:
    """Make the counters of the tenant in scope exact as time passes. Returns how many moved.

    Opens a short transaction per ``CHUNK_SIZE`` customers and writes only rows that changed.
    """
    moved, after = 0, UUID(int=0)
    while True:
        with transaction.atomic():
            chunk = CustomerProfile.objects.live().filter(pk__gt=after).order_by("pk")
            ids = list(chunk.values_list("pk", flat=True)[:CHUNK_SIZE])
            if not ids:
                return moved
            with connection.cursor() as cursor:
                cursor.execute(RENEW, _values(ids, now))
                moved += cursor.rowcount
        after = ids[-1]
