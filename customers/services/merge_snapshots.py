"""Both profiles as they were, kept by the database so that no digit is lost on the way."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from customers.models import CustomerProfile, ProfileMerge
from customers.models.profile import CONSENT_FIELDS
from customers.services.consent import Consents, consents_of

# A profile's row: JSON values by column name.
Row = dict[str, Any]

BEFORE = """
UPDATE customers_profilemerge AS merge
   SET survivor_before = to_jsonb(survivor) - 'search_vector',
       absorbed_before = to_jsonb(absorbed) - 'search_vector'
  FROM customers_customerprofile AS survivor, customers_customerprofile AS absorbed
 WHERE merge.id = %s AND survivor.id = merge.survivor_id AND absorbed.id = merge.absorbed_id
"""
AFTER = """
UPDATE customers_profilemerge AS merge
   SET survivor_after = to_jsonb(survivor) - 'search_vector'
  FROM customers_customerprofile AS survivor
 WHERE merge.id = %s AND survivor.id = merge.survivor_id
"""
CURRENT = """
SELECT to_jsonb(held) - 'search_vector' FROM customers_customerprofile AS held WHERE id = %s
"""
# Names of columns come from a snapshot, whose keys the database wrote.
WRITE = """
UPDATE customers_customerprofile AS held SET ({columns}) = (
    SELECT {columns} FROM jsonb_populate_record(NULL::customers_customerprofile, %s::jsonb))
 WHERE held.id = %s
"""


def keep_before(merge: ProfileMerge) -> None:
    _run(BEFORE, merge)


def keep_after(merge: ProfileMerge) -> None:
    _run(AFTER, merge)


def _run(statement: str, merge: ProfileMerge) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [merge.pk])


def current_row(profile_id: UUID) -> Row:
    """The profile's row as a snapshot would keep it now."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENT, [profile_id])
        text = cursor.fetchone()[0]
    row: Row = json.loads(text)
    return row


def write_row(row: Row) -> None:
    """Make a profile's row what a snapshot says, all but consent, which has its own writer."""
    known = {field.column for field in CustomerProfile._meta.concrete_fields}
    names = [name for name in row if name in known - {"id", *CONSENT_FIELDS}]
    columns = ", ".join(connection.ops.quote_name(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(WRITE.format(columns=columns), [json.dumps(row), row["id"]])


def consents_in(row: Row) -> Consents:
    """Consent per channel as a snapshot has it."""
    profile = CustomerProfile()
    for name in CONSENT_FIELDS:
        value = row[name]
        setattr(profile, name, datetime.fromisoformat(value) if isinstance(value, str) else value)
    return consents_of(profile)
