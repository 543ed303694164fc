"""Rows of a file become customers: a batch, through the same directory as every other way in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from customers.choices import OnConflict
from customers.models import CustomerProfile
from customers.services.erased import erased_faults, erased_of
from customers.services.facts import Fault, PersonFacts
from customers.services.identity import Directory, lock_identities
from customers.services.importing.plans import Plan
from customers.services.importing.reading import RowReader
from customers.services.importing.rows import SourceRow
from customers.services.ownership import CRM


@dataclass(frozen=True)
class Refusal:
    row: SourceRow
    faults: list[Fault]


@dataclass
class BatchOutcome:
    """What became of a batch: ``counts`` by created, updated, unchanged and refused; ``created``
    and, by customer, ``changes`` (old and new by column) so that it can be undone. ``people`` are
    the good rows, each with its status."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    created: list[UUID] = field(default_factory=list)
    changes: dict[UUID, dict[str, dict[str, Any]]] = field(default_factory=dict)
    people: list[tuple[PersonFacts, str]] = field(default_factory=list)


def write_batch(
    rows: Sequence[SourceRow], *, reader: RowReader, plan: Plan, now: datetime
) -> BatchOutcome:
    """Make or change a customer for each good row, in the caller's transaction.

    Rows are taken in the file's order; a few statements whatever their number.
    """
    outcome, read = BatchOutcome(), [reader.read(row) for row in rows]
    lock_identities()  # Before asking who was erased: an erasure takes it, too.
    erased = erased_of(facts for facts in read if isinstance(facts, PersonFacts))
    good = []
    for row, said in zip(rows, read, strict=True):
        faults = erased_faults(said, erased) if isinstance(said, PersonFacts) else said
        if isinstance(said, PersonFacts) and not faults:
            good.append(said)
        else:
            outcome.counts["refused"] += 1
            outcome.refusals.append(Refusal(row, faults))
    directory = Directory(good, fields=("last_name", "tags", "source_times"))
    for facts in good:
        status = _write_person(directory, facts, plan, now)
        outcome.counts[status] += 1
        outcome.people.append((facts, status))
    outcome.created = [profile.pk for profile in directory.newcomers]
    outcome.changes = directory.changes()
    directory.save()
    return outcome


def _write_person(directory: Directory, facts: PersonFacts, plan: Plan, now: datetime) -> str:
    found = directory.find(facts, source=CRM)
    if found is None:
        _tag(directory.admit(facts, source=CRM, at=now), plan)
        return "created"
    if plan.on_conflict == OnConflict.KEEP:
        return "unchanged"
    before = directory.state_of(found)
    is_filling = plan.on_conflict == OnConflict.FILL
    _tag(directory.admit(facts, source=CRM, at=now, blanks_only=is_filling), plan)
    return "unchanged" if directory.state_of(found) == before else "updated"


def _tag(profile: CustomerProfile, plan: Plan) -> None:
    added = [tag for tag in plan.add_tags if tag not in profile.tags]
    if added:
        profile.tags = [*profile.tags, *added]
