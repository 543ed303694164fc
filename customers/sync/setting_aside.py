"""Events about people who were erased: noted, not taken in, and not kept."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from customers.choices import SyncStatus
from customers.models import SyncLog
from customers.services.erased import SET_ASIDE, Identifier, erased_among
from customers.services.facts import IDENTIFIERS, JSON_NAMES, FactError, read_value


def set_aside(rows: Collection[SyncLog], *, now: datetime) -> None:
    """Settle these events without taking them in; the caller saves the rows. Their bodies go."""
    for row in rows:
        row.status, row.error, row.processed_at = SyncStatus.SKIPPED, SET_ASIDE, now
        row.next_attempt_at = None
    if rows:
        bodies = SyncLog.objects.filter(pk__in=[row.pk for row in rows])
        bodies.update(event_payload=None, conflict_payload=None)


def set_aside_unread(rows: Collection[SyncLog], *, country: str, now: datetime) -> None:
    """The same for those of ``rows`` that nobody could read or understands, but that name them."""
    told = {row.pk: set(_identifiers_in(row.event_payload, country)) for row in rows}
    erased = erased_among(item for items in told.values() for item in items) if told else set()
    set_aside([row for row in rows if told[row.pk] & erased], now=now)


def _identifiers_in(body: Any, country: str) -> Iterator[Identifier]:
    """What of a body's customer can be read as an identifier; the rest is passed over."""
    data = body.get("data") if isinstance(body, dict) else None
    said = data.get("customer") if isinstance(data, dict) else None
    if not isinstance(said, dict):
        return
    for name in IDENTIFIERS:
        try:
            value = read_value(name, said.get(JSON_NAMES[name]), path=name, country=country)
        except FactError:
            continue
        if value is not None:
            yield name, value
