"""Processing what was taken in: a batch of one tenant's events, in the order they arrived.

A batch is one transaction and a fixed number of statements, whatever its size. Its rows are
claimed and settled in that transaction, so a killed worker leaves them as they were.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from crm_site.audit.actor import Actor
from crm_site.db.rows import update_rows
from crm_site.errors import DomainError
from customers.choices import SyncStatus
from customers.models import Activity, SyncLog
from customers.models.sync_log import MAX_ATTEMPTS
from customers.services.activities import (
    PROFILE_FIELDS,
    NewActivity,
    announce,
    note_on_profile,
    write_activities,
)
from customers.services.consent import apply_preferences
from customers.services.erased import Identifier, erased_of, without
from customers.services.facts import country_in_scope
from customers.services.identity import Directory, lock_identities
from customers.services.spending import OWNER as SPENDING_OWNER
from customers.services.spending import SPENDING_FIELDS, Totals, add_payment
from customers.sync.events import InboundEvent, Outcome, ProcessedEvent
from customers.sync.registry import tell_followers, translator_of
from customers.sync.setting_aside import set_aside, set_aside_unread

logger = logging.getLogger(__name__)

BATCH_SIZE = 1_000
FIRST_DELAY = timedelta(seconds=10)
DELAY_FACTOR = 4  # 10 s, 40 s, 3 min, 11 min, 43 min, 3 h, 11 h.
READ = ("source_service", "event_type", "event_id", "event_payload", "occurred_at")
SETTLED = (
    *("status", "processed_at", "attempts", "next_attempt_at", "error"),
    *("customer_id", "activity_id"),
)
# Of a profile, beside what an event says of the person.
MOVED_BY_EVENTS = (*PROFILE_FIELDS, *SPENDING_FIELDS)


@dataclass(frozen=True)
class _Item:
    """A row of the inbox with what its event means."""

    row: SyncLog
    event: InboundEvent
    outcome: Outcome


def lock_processing() -> None:
    """One processor per tenant at a time; waits for the one at work.

    The same lock guards identities, so that requests queue up behind a batch and not inside it.
    """
    lock_identities()


def process_batch(*, now: datetime) -> int:
    """Process the oldest due events of the tenant in scope, up to ``BATCH_SIZE``.

    Returns how many rows it settled: done, skipped or failed. Call inside a transaction that holds
    ``lock_processing``.
    """
    due = SyncLog.objects.due(now).order_by("pk").select_for_update(no_key=True)
    rows = list(due.only(*READ, *SETTLED)[:BATCH_SIZE])
    if not rows:
        return 0
    country = country_in_scope()
    items = [item for row in rows if (item := _translate(row, country, now)) is not None]
    read = {item.row.pk for item in items}
    set_aside_unread([row for row in rows if row.pk not in read], country=country, now=now)
    _process_in_halves(items, now)
    update_rows(rows, SETTLED)
    return len(rows)


def _translate(row: SyncLog, country: str, now: datetime) -> _Item | None:
    translate = translator_of(row.source_service, row.event_type)
    if translate is None:
        _settle(row, SyncStatus.SKIPPED, now)
        return None
    if row.event_payload is None:
        _fail(row, "The event's body is past its retention.", now, is_final=True)
        return None
    event = InboundEvent(
        id=row.event_id,
        source=row.source_service,
        type=row.event_type,
        time=row.occurred_at,
        data=row.event_payload.get("data") or {},
        country=country,
    )
    try:
        outcome = translate(event)
        if outcome is None:
            _settle(row, SyncStatus.SKIPPED, now)
            return None
        return _Item(row, event, outcome)
    except DomainError as error:
        _fail(row, str(error), now)
    except Exception as error:
        logger.warning("Cannot translate %s", row.event_id, exc_info=True)
        _fail(row, f"{type(error).__name__}: {error}", now)
    return None


def _process_in_halves(items: Sequence[_Item], now: datetime) -> None:
    """All together; where the database refuses, each half for itself, down to the one at fault."""
    if not items:
        return
    try:
        with transaction.atomic():
            _process(items, now)
    except (OperationalError, InterfaceError):
        raise  # The server, not the events: the whole batch stays due.
    except Exception as error:
        if len(items) == 1:
            logger.warning("Cannot process %s", items[0].row.event_id, exc_info=True)
            _fail(items[0].row, f"{type(error).__name__}: {error}".strip(), now)
            return
        middle = len(items) // 2
        _process_in_halves(items[:middle], now)
        _process_in_halves(items[middle:], now)


def _process(items: Sequence[_Item], now: datetime) -> None:
    items, directory = _admissible(items, now)
    totals = Totals()
    activities, preferences, processed = [], [], []
    for item in items:
        event, outcome = item.event, item.outcome
        profile = directory.admit(outcome.person, source=event.source, at=event.time)
        if event.source == SPENDING_OWNER:
            totals.take(profile, outcome.person.fields.get("lifetime_value"), event.time)
        activity = _activity(profile.pk, event, outcome.activity, now)
        if activity and outcome.activity:
            activities.append(activity)
            note_on_profile(profile, activity)
            if outcome.activity.amount is not None:
                add_payment(profile, outcome.activity.amount, event.time)
        if outcome.preference:
            preferences.append((profile.pk, outcome.preference))
        processed.append(ProcessedEvent(event, profile.pk, activity.pk if activity else None))
    write_activities(activities, directory.profiles, now=now)
    totals.settle(directory.profiles)
    directory.save()
    apply_preferences(preferences, actor=Actor.current())
    announce(activities)
    tell_followers(processed)
    for done, item in zip(processed, items, strict=True):
        _settle(item.row, SyncStatus.SUCCESS, now)
        item.row.customer_id, item.row.activity_id = done.customer_id, done.activity_id


def _admissible(items: Sequence[_Item], now: datetime) -> tuple[Sequence[_Item], Directory]:
    """Items without what belongs to somebody erased, and the directory of the people they name.

    Who is found by another identifier goes on without the erased one: an address the family shared.
    The others are set aside.
    """
    erased = erased_of(item.outcome.person for item in items)
    if not erased:
        people = [item.outcome.person for item in items]
        return items, Directory(people, fields=MOVED_BY_EVENTS)
    kept = [_without(item, erased) for item in items]
    directory = Directory([item.outcome.person for item in kept], fields=MOVED_BY_EVENTS)
    admitted, aside = [], []
    for before, item in zip(items, kept, strict=True):
        is_whole = item.outcome.person.identifiers == before.outcome.person.identifiers
        if is_whole or directory.find(item.outcome.person, source=item.event.source):
            admitted.append(item)
        else:
            aside.append(item.row)
    set_aside(aside, now=now)
    return admitted, directory


def _without(item: _Item, erased: frozenset[Identifier]) -> _Item:
    person = without(item.outcome.person, erased)
    return replace(item, outcome=replace(item.outcome, person=person))


def _activity(
    customer_id: UUID, event: InboundEvent, made: NewActivity | None, now: datetime
) -> Activity | None:
    if made is None:
        return None
    return Activity(
        customer_id=customer_id,
        type=made.type,
        category=made.category,
        channel=made.channel,
        title=made.title[:300],
        description=made.description,
        metadata=made.metadata,
        source_service=event.source,
        source_id=made.source_id,
        source_event_id=event.id,
        occurred_at=event.time,
        processed_at=now,
    )


def _settle(row: SyncLog, status: SyncStatus, now: datetime) -> None:
    row.status, row.processed_at = status, now
    row.attempts, row.next_attempt_at, row.error = row.attempts + 1, None, None


def _fail(row: SyncLog, reason: str, now: datetime, *, is_final: bool = False) -> None:
    """Note why, and when to try again: later each time, and not for ever."""
    _settle(row, SyncStatus.FAILED, now)
    row.error = reason.replace("\0", "")[:2_000]
    if row.attempts < MAX_ATTEMPTS and not is_final:
        row.next_attempt_at = now + FIRST_DELAY * DELAY_FACTOR ** (row.attempts - 1)
