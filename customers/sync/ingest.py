"""Taking events in: every accepted one is stored, once, before its sender hears 202."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from crm_site.db.ids import new_id
from crm_site.db.rows import to_json
from crm_site.tenancy.context import require_tenant_id
from customers.choices import SyncStatus
from customers.sync.envelope import Received, Rejected, check_event

BATCH_SIZE = 1_000
CONFLICT = "conflict"


@dataclass
class Receipt:
    """What a sender hears: how many are new, how many we had, and which we could not take."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [item.as_json() for item in self.rejected],
        }


@transaction.atomic
def receive(events: Sequence[Any], *, source: str | None = None) -> Receipt:
    """Store the good events of a body as PENDING rows of the tenant in scope.

    ``source`` limits a door to one. Three statements per 1,000 events, however many there are.
    """
    now, tenant_id = timezone.now(), require_tenant_id()
    receipt, fresh = Receipt(), []
    for index, event in enumerate(events):
        checked = check_event(index, event, tenant_id=tenant_id, source=source, now=now)
        if isinstance(checked, Rejected):
            receipt.rejected.append(checked)
        else:
            fresh.append(checked)
    for start in range(0, len(fresh), BATCH_SIZE):
        _store(fresh[start : start + BATCH_SIZE], receipt)
    receipt.rejected.sort(key=lambda item: item.index)
    return receipt


# In the order of the key, so that two senders of the same events queue up. Ids keep the order of
# arrival.
INSERT = """
INSERT INTO customers_synclog (
    id, tenant_id, source_service, event_type, event_id, event_payload, payload_hash, occurred_at,
    status, attempts, next_attempt_at, conflict_count, created_at)
SELECT id, %(tenant)s, source_service, event_type, event_id, event_payload, payload_hash,
       occurred_at, %(pending)s, 0, %(now)s, 0, %(now)s
  FROM json_populate_recordset(NULL::customers_synclog, %(events)s::json)
 ORDER BY source_service, event_id
ON CONFLICT (tenant_id, source_service, event_id) DO NOTHING
RETURNING source_service, event_id
"""
KNOWN = """
SELECT source_service, event_id, payload_hash FROM customers_synclog
 WHERE tenant_id = %s AND (source_service, event_id) IN (
       SELECT source, id FROM json_to_recordset(%s::json) AS asked(source varchar, id varchar))
"""
KEEP_EVIDENCE = """
UPDATE customers_synclog AS held
   SET conflict_count = held.conflict_count + other.times, conflict_payload = other.body
  FROM json_to_recordset(%s::json) AS other(source varchar, id varchar, times int, body jsonb)
 WHERE held.tenant_id = %s AND held.source_service = other.source AND held.event_id = other.id
"""


def _store(events: list[Received], receipt: Receipt) -> None:
    first: dict[tuple[str, str], Received] = {}
    for event in events:
        first.setdefault(event.key, event)
    stored = _insert(list(first.values()))
    receipt.accepted += len(stored)
    hashes = {key: event.hash for key, event in first.items() if key in stored}
    hashes |= _known_hashes([key for key in first if key not in stored])
    conflicts = []
    for event in events:
        if event.key in stored and first[event.key] is event:
            continue
        if hashes[event.key] == event.hash:
            receipt.duplicates += 1
            continue
        conflicts.append(event)
        message = "This id came before with another body."
        receipt.rejected.append(Rejected(event.index, event.id, CONFLICT, message))
    _keep_evidence(conflicts)


def _insert(events: list[Received]) -> set[tuple[str, str]]:
    rows = [
        {
            "id": new_id(),
            "source_service": event.source,
            "event_type": event.type,
            "event_id": event.id,
            "event_payload": event.body,
            "payload_hash": event.hash,
            "occurred_at": event.time,
        }
        for event in events
    ]
    values: dict[str, Any] = {
        "tenant": require_tenant_id(),
        "pending": SyncStatus.PENDING,
        "now": timezone.now(),
        "events": to_json(rows),
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        return {(source, event_id) for source, event_id in cursor.fetchall()}


def _known_hashes(keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not keys:
        return {}
    asked = [{"source": source, "id": event_id} for source, event_id in keys]
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [require_tenant_id(), to_json(asked)])
        return {(source, event_id): known for source, event_id, known in cursor.fetchall()}


def _keep_evidence(conflicts: list[Received]) -> None:
    if not conflicts:
        return
    times = Counter(event.key for event in conflicts)
    last = {event.key: event.body for event in conflicts}
    rows = [
        {"source": source, "id": event_id, "times": count, "body": last[source, event_id]}
        for (source, event_id), count in sorted(times.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(KEEP_EVIDENCE, [to_json(rows), require_tenant_id()])
