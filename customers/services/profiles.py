"""Making and changing customers by hand, over the API and by import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor, acting_as
from crm_site.db.names import camel_case
from crm_site.errors import NOT_FOUND, DomainError
from customers.choices import CustomerStatus
from customers.models import CustomerProfile
from customers.models.profile import CONSENT_FIELDS
from customers.services.changes import tell_changed
from customers.services.erased import Identifier, erased_faults, erased_of, refuse_erased
from customers.services.facts import (
    IDENTIFIERS,
    JSON_NAMES,
    FactError,
    Fault,
    PersonFacts,
    country_in_scope,
    read_person,
    read_value,
)
from customers.services.identity import Directory
from customers.services.ownership import CRM, apply_fields

MAX_BATCH = 1_000
Status = Literal["created", "updated", "unchanged", "rejected"]
NO_IDENTITY = Fault("", "no_identity", "Give at least one identity key, or first and last name.")


class ProfileError(DomainError):
    """A customer cannot be made or changed like this."""


@dataclass(frozen=True)
class UpsertResult:
    """What became of one profile of a batch. ``errors`` only where it was rejected."""

    index: int
    status: Status
    id: UUID | None = None
    errors: list[Fault] = field(default_factory=list)


@transaction.atomic
def upsert_profiles(items: Sequence[Any], *, actor: Actor) -> list[UpsertResult]:
    """Make or bring up to date one profile per item, found by identity. One result each, in order.

    Items are objects in the data model's names. Each needs an identity key, or first and last name
    (then always a new profile). What an item leaves out stays as it is. The number of statements
    does not depend on the number of items, at most ``MAX_BATCH``.
    """
    country = country_in_scope()
    read = [_read(index, item, country) for index, item in enumerate(items)]
    now = timezone.now()
    with acting_as(actor):
        directory = Directory([facts for facts in read if isinstance(facts, PersonFacts)])
        erased = erased_of(facts for facts in read if isinstance(facts, PersonFacts))
        results = []
        for index, found in enumerate(read):
            facts = _refused_if_erased(index, found, erased)
            if isinstance(facts, UpsertResult):
                results.append(facts)
                continue
            results.append(_upsert(directory, index, facts, now))
        directory.save()
    return results


def _read(index: int, item: Any, country: str) -> PersonFacts | UpsertResult:
    if not isinstance(item, Mapping):
        fault = Fault("", "invalid", "An object is expected.")
        return UpsertResult(index, "rejected", errors=[fault])
    try:
        facts = read_person(item, country=country, is_strict=True)
    except FactError as error:
        return UpsertResult(index, "rejected", errors=error.faults)
    if not names_somebody(facts):
        return UpsertResult(index, "rejected", errors=[NO_IDENTITY])
    return facts


def _refused_if_erased(
    index: int, facts: PersonFacts | UpsertResult, erased: frozenset[Identifier]
) -> PersonFacts | UpsertResult:
    faults = erased_faults(facts, erased) if isinstance(facts, PersonFacts) else []
    return UpsertResult(index, "rejected", errors=faults) if faults else facts


def names_somebody(facts: PersonFacts) -> bool:
    """Whether the facts are enough to make a customer of, when many come at once."""
    return bool(facts.identifiers or (facts.first_name and facts.fields.get("last_name")))


def _upsert(directory: Directory, index: int, facts: PersonFacts, now: datetime) -> UpsertResult:
    found = directory.find(facts, source=CRM)
    before = directory.state_of(found) if found else None
    profile = directory.admit(facts, source=CRM, at=now)
    if found is None:
        return UpsertResult(index, "created", profile.pk)
    is_changed = directory.state_of(profile) != before
    return UpsertResult(index, "updated" if is_changed else "unchanged", profile.pk)


@transaction.atomic
def create_profile(*, values: Mapping[str, Any], actor: Actor) -> CustomerProfile:
    """Make a customer. ``values`` by our field names, as a form or serializer has them.

    Raises FactError naming fields that cannot be, or the e-mail address if nothing identifies the
    person; ProfileError if somebody else has an identifier.
    """
    facts = _normalise(values)
    if not facts.identifiers and not (facts.first_name or facts.fields.get("last_name")):
        message = "Give an e-mail address, a phone number or a name."
        raise FactError([Fault("email", "no_identity", message)])
    with acting_as(actor):
        directory = Directory([facts])
        _refuse_taken(directory, facts, None)
        refuse_erased(facts)
        profile = directory.admit(facts, source=CRM, at=timezone.now())
        directory.save()
    return profile


@transaction.atomic
def update_profile(
    *, customer_id: UUID, values: Mapping[str, Any], actor: Actor
) -> CustomerProfile:
    """Change a customer's fields; an address that is replaced still leads to them.

    Raises like ``create_profile``, and ProfileError for a customer who is not there.
    """
    facts = _normalise(values)
    with acting_as(actor):
        directory = Directory([facts], ids=[customer_id])
        profile = directory.profiles.get(customer_id)
        if profile is None:
            raise ProfileError("There is no such customer.", code=NOT_FOUND)
        _refuse_taken(directory, facts, profile)
        refuse_erased(facts)
        now = timezone.now()
        directory.attach(profile, facts, source=CRM, at=now)
        for name in IDENTIFIERS:
            if name in values and name not in facts.identifiers:
                setattr(profile, name, None)  # Taken away on purpose.
        apply_fields(profile, facts.fields, source=CRM, at=now)
        directory.save()
    return profile


def _normalise(values: Mapping[str, Any]) -> PersonFacts:
    country, faults = country_in_scope(), []
    identifiers: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if name in CONSENT_FIELDS:
            message = "Consent belongs to the Messaging service."
            faults.append(Fault(camel_case(name), "read_only", message))
        else:
            try:
                value = _read_typed(name, value, country=country)
            except FactError as error:
                faults += error.faults
                continue
            (identifiers if name in IDENTIFIERS else fields)[name] = value
    if faults:
        raise FactError(faults)
    known = {name: value for name, value in identifiers.items() if value not in (None, "")}
    return PersonFacts(known, fields)


def _read_typed(name: str, value: Any, *, country: str) -> Any:
    """The value as every other way in would keep it; a date or time is one already."""
    if name not in JSON_NAMES or isinstance(value, date):
        return None if value == "" else value
    return read_value(name, value, path=camel_case(name), country=country)


def _refuse_taken(directory: Directory, facts: PersonFacts, owner: CustomerProfile | None) -> None:
    for name, value in facts.identifiers.items():
        holder = directory.holder(name, value)
        if holder is not None and holder is not owner:
            label = name.replace("_", " ")
            message = f"{holder.name} has this {label} already."
            raise ProfileError(message, path=name, code="already_exists")


@transaction.atomic
def delete_profile(*, customer_id: UUID, actor: Actor) -> None:
    """Hide a customer; their identifiers are free again. Harmless on one already hidden."""
    with acting_as(actor):
        CustomerProfile.objects.live().filter(pk=customer_id).update(
            deleted_at=timezone.now(),
            status=CustomerStatus.DELETED,
            updated_at=timezone.now(),
            updated_by=actor.id,
        )
        tell_changed([customer_id], columns=None)


@transaction.atomic
def restore_profile(*, customer_id: UUID, actor: Actor) -> CustomerProfile:
    """Bring a hidden customer back.

    Raises ProfileError if somebody has their identifiers now, or if they were erased; FactError if
    one of their identifiers belongs to somebody who was.
    """
    hidden = CustomerProfile.objects.filter(
        pk=customer_id, deleted_at__isnull=False, merged_at__isnull=True
    ).select_for_update()
    profile = hidden.first()
    if profile is None:
        raise ProfileError("There is no such deleted customer.", code=NOT_FOUND)
    if profile.erased_at is not None:
        raise ProfileError(
            "This customer was erased, and nothing is left to restore.", code="erased"
        )
    held = {name: getattr(profile, name) for name in IDENTIFIERS if getattr(profile, name)}
    with acting_as(actor):
        facts = PersonFacts(held)
        _refuse_taken(Directory([facts]), facts, None)
        refuse_erased(facts)
        profile.deleted_at, profile.status = None, CustomerStatus.ACTIVE
        profile.updated_by = actor.id
        profile.save(update_fields=["deleted_at", "status", "updated_by", "updated_at"])
        tell_changed([profile.pk], columns=None)
    return profile
