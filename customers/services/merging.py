"""Folding one profile into another, keeping everything (docs/decisions/0017)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor, acting_as
from crm_site.db.names import camel_case
from crm_site.errors import NOT_FOUND
from customers.choices import CustomerStatus
from customers.models import CustomerProfile, IdentityAlias, ProfileMerge
from customers.services.consent import consents_of, stricter_consents, write_consent
from customers.services.counters import COUNTERS, recent_counts
from customers.services.facts import IDENTIFIERS
from customers.services.identity import READ, lock_identities
from customers.services.merge_fields import (
    MergeError,
    Pair,
    added_up,
    carried_times,
    check_picks,
    choose_fields,
)
from customers.services.merge_record import MergeRecord
from customers.services.merge_rows import move_rows
from customers.services.merge_snapshots import keep_after, keep_before
from customers.signals import profile_merged


@dataclass(frozen=True)
class Merged:
    """A merge, and the customer that is left."""

    merge: ProfileMerge
    survivor: CustomerProfile


@transaction.atomic
def merge_profiles(
    *, survivor_id: UUID, absorbed_id: UUID, picks: Mapping[str, str] | None = None, actor: Actor
) -> Merged:
    """Fold ``absorbed`` into ``survivor``: every row moves, every identifier still leads somewhere.

    ``picks`` says for single fields whose value stays (see ``merge_fields``); the rest is decided
    by rule. The absorbed row stays, MERGED. Apps above follow ``profile_merged`` in this
    transaction. Raises MergeError, having changed nothing, for one and the same customer, one who
    is not there, deleted or merged already, and for a pick that cannot be.
    """
    picks = dict(picks or {})
    check_picks(picks)
    check_different(survivor_id, absorbed_id)
    lock_identities()
    with acting_as(actor):
        return _merge(_locked(survivor_id, absorbed_id), picks, actor)


def check_different(survivor_id: UUID, absorbed_id: UUID) -> None:
    if survivor_id == absorbed_id:
        raise MergeError("Choose two different customers.", path="absorb", code="same_customer")


def _locked(survivor_id: UUID, absorbed_id: UUID) -> Pair:
    """Both profiles, locked in id order, so that two opposite merges queue up."""
    rows = CustomerProfile.objects.filter(pk__in=(survivor_id, absorbed_id)).order_by("pk")
    found = {row.pk: row for row in rows.only(*READ).select_for_update()}
    return pair_of(found, survivor_id, absorbed_id)


def pair_of(found: Mapping[UUID, CustomerProfile], survivor_id: UUID, absorbed_id: UUID) -> Pair:
    """Two live profiles out of those found. Raises MergeError."""
    survivor = _live(found.get(survivor_id), path="")
    absorbed = _live(found.get(absorbed_id), path="absorb")
    return Pair(survivor, absorbed)


def _live(profile: CustomerProfile | None, *, path: str) -> CustomerProfile:
    if profile is None:
        raise MergeError("There is no such customer.", path=path, code=NOT_FOUND)
    if profile.merged_at is not None:
        message = f"{profile.name} has been merged into another customer already."
        raise MergeError(message, path=path, code="already_merged")
    if profile.deleted_at is not None:
        raise MergeError(f"{profile.name} is deleted.", path=path, code="deleted")
    return profile


def with_verified(pair: Pair) -> Pair:
    """The pair, knowing which of its addresses somebody has verified."""
    people = pair.survivor, pair.absorbed
    values = {value for each in people for value in (each.email, each.phone_number) if value}
    verified = IdentityAlias.objects.filter(value__in=values, verified_at__isnull=False)
    return replace(pair, verified=frozenset(verified.values_list("value", flat=True)))


def _merge(pair: Pair, picks: dict[str, str], actor: Actor) -> Merged:
    now, pair = timezone.now(), with_verified(pair)
    survivor, absorbed = pair.survivor, pair.absorbed
    choices = choose_fields(pair, picks)
    values = {
        **{choice.name: choice.result for choice in choices},
        **added_up(pair),
        "source_times": carried_times(pair, choices),
    }
    consents = stricter_consents(consents_of(survivor), consents_of(absorbed))
    merge = ProfileMerge.objects.create(
        survivor=survivor, absorbed=absorbed, picks=picks, merged_by=actor.id, merged_at=now
    )
    keep_before(merge)
    record = MergeRecord(merge)
    _lead_on(absorbed, survivor, actor, now)
    move_rows(record, choices, actor=actor, now=now)
    profile_merged.send(sender=CustomerProfile, survivor=survivor, absorbed=absorbed, record=record)
    counts = recent_counts([survivor.pk], now=now).get(survivor.pk, (0,) * len(COUNTERS))
    _save(survivor, {**values, **dict(zip(COUNTERS, counts, strict=True))}, actor)
    write_consent(survivor, consents)
    keep_after(merge)
    audit.record("MERGE", survivor, actor=actor, metadata=_told(record, picks))
    return Merged(merge, survivor)


def _lead_on(
    absorbed: CustomerProfile, survivor: CustomerProfile, actor: Actor, now: datetime
) -> None:
    """First of all: its identifiers are free for the survivor only once the row is MERGED."""
    CustomerProfile.objects.filter(pk=absorbed.pk).update(
        **dict.fromkeys(IDENTIFIERS),
        status=CustomerStatus.MERGED,
        merged_into=survivor,
        merged_at=now,
        updated_at=now,
        updated_by=actor.id,
    )


def _save(profile: CustomerProfile, values: Mapping[str, Any], actor: Actor) -> None:
    for name, value in values.items():
        setattr(profile, name, value)
    profile.updated_by = actor.id
    profile.save(update_fields=[*values, "updated_at", "updated_by"])


def _told(record: MergeRecord, picks: Mapping[str, str]) -> dict[str, Any]:
    return {
        "mergeId": str(record.merge.pk),
        "absorbedId": str(record.absorbed.pk),
        "picks": {camel_case(name): side for name, side in picks.items()},
        "moved": record.moved,
    }
