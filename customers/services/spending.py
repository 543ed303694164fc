"""What a customer has spent: SCL's payments, on top of the last total SCL told, if it told one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from crm_site.db.rows import to_json
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile
from customers.services.ownership import microseconds, remember

OWNER = "scl"
SPENDING_FIELDS = ("lifetime_value", "lifetime_value_at")


@dataclass(frozen=True)
class Total:
    """Everything spent up to a moment, as SCL knows it; in cents."""

    at: datetime
    amount: Decimal


@dataclass
class Totals:
    """Totals told within a batch, and the profiles they are about."""

    by_customer: dict[UUID, Total] = field(default_factory=dict)

    def take(self, profile: CustomerProfile, amount: Decimal | None, at: datetime) -> None:
        """Note a total, unless a later one is known."""
        told_at = profile.source_times.get(OWNER, {}).get("lifetime_value", -1)
        earlier = self.by_customer.get(profile.pk)
        if amount is None or microseconds(at) < told_at:
            return
        if earlier and (at, amount) < (earlier.at, earlier.amount):
            return
        remember(profile, OWNER, "lifetime_value", microseconds(at))
        self.by_customer[profile.pk] = Total(at, amount)

    def settle(self, profiles: Mapping[UUID, CustomerProfile]) -> None:
        """Value each profile at its total and all payments since; after activities are written."""
        if not self.by_customer:
            return
        for customer_id, paid in _paid_since(self.by_customer).items():
            total, profile = self.by_customer[customer_id], profiles[customer_id]
            profile.lifetime_value = total.amount + paid
            profile.lifetime_value_at = max(profile.lifetime_value_at or total.at, total.at)


def add_payment(profile: CustomerProfile, amount: Decimal, at: datetime) -> None:
    """Add a payment, or take off a refund, unless the last total holds it already."""
    if microseconds(at) <= profile.source_times.get(OWNER, {}).get("lifetime_value", -1):
        return
    profile.lifetime_value = (profile.lifetime_value or Decimal(0)) + amount
    profile.lifetime_value_at = max(profile.lifetime_value_at or at, at)


# Served by activity_timeline.
PAID_SINCE = """
SELECT asked.id, coalesce(sum(CASE a.type
           WHEN 'PAYMENT_RECEIVED' THEN (a.metadata ->> 'amount')::numeric
           ELSE -(a.metadata ->> 'amount')::numeric END), 0)
  FROM json_to_recordset(%s::json) AS asked(id uuid, since timestamptz)
  LEFT JOIN customers_activity a ON a.customer_id = asked.id AND a.tenant_id = %s
       AND a.occurred_at > asked.since AND a.source_service = 'scl'
       AND a.type IN ('PAYMENT_RECEIVED', 'PAYMENT_REFUNDED')
 GROUP BY asked.id
"""


def _paid_since(totals: Mapping[UUID, Total]) -> dict[UUID, Decimal]:
    rows = [{"id": customer_id, "since": total.at} for customer_id, total in totals.items()]
    with connection.cursor() as cursor:
        cursor.execute(PAID_SINCE, [to_json(rows), require_tenant_id()])
        return dict(cursor.fetchall())
