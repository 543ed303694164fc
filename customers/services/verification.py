"""What proves that an identifier beside the profile is the customer's own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from crm_site.db.rows import to_json
from crm_site.tenancy.context import require_tenant_id
from customers.services.identity import ALIAS_TYPES, alias_value

# The earliest proof counts; what is proven already is left alone, and so leaves no audit entry.
VERIFY = """
UPDATE customers_identityalias AS held
   SET verified_at = proof.at, updated_at = now()
  FROM (SELECT type, value, customer_id, min(at) AS at
          FROM json_to_recordset(%(proofs)s::json)
               AS asked(type varchar, value varchar, customer_id uuid, at timestamptz)
         GROUP BY 1, 2, 3) AS proof
 WHERE held.tenant_id = %(tenant)s AND held.type = proof.type AND held.value = proof.value
   AND held.customer_id = proof.customer_id AND held.verified_at IS NULL
"""


@dataclass(frozen=True)
class Proof:
    """At this moment the customer was seen to hold this identifier (a field of the profile)."""

    customer_id: UUID
    name: str
    value: Any
    at: datetime


def verify_aliases(proofs: Collection[Proof]) -> int:
    """Mark the aliases that ``proofs`` name, where they are of that customer. Returns how many."""
    if not proofs:
        return 0
    rows = [
        {
            "type": ALIAS_TYPES[proof.name],
            "value": alias_value(proof.name, proof.value),
            "customer_id": proof.customer_id,
            "at": proof.at,
        }
        for proof in proofs
    ]
    with connection.cursor() as cursor:
        cursor.execute(VERIFY, {"proofs": to_json(rows), "tenant": require_tenant_id()})
        return int(cursor.rowcount)
