"""Knowing people again who were erased, by keyed hashes of what they were known by."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.db.names import camel_case
from crm_site.errors import NOT_FOUND, DomainError
from crm_site.tenancy.context import require_tenant_id
from customers.models import ErasedIdentity, Erasure
from customers.services.facts import FactError, Fault, PersonFacts
from customers.services.identity import lock_identities

ERASED = "erased"
MESSAGE = (
    "This belongs to somebody who was erased. They come back only once a manager admits them again."
)
# What the event inbox says of an event about somebody erased.
SET_ASIDE = "About somebody who was erased: not taken in, and its body removed."
CHUNK = 10_000

Identifier = tuple[str, Any]  # The profile's field, and its normalised value.


class ErasureError(DomainError):
    """This person cannot be erased, or admitted again, like this."""


def key_id(key: str) -> str:
    """A name for a key, which gives nothing of it away."""
    return hashlib.sha256(f"fairway.erasure:{key}".encode()).hexdigest()[:16]


def hash_with(key: str, identifier: Identifier) -> str:
    """HMAC-SHA256 of tenant, field and value: two tenants' hashes cannot be compared."""
    name, value = identifier
    told = "\0".join((require_tenant_id(), name, str(value)))
    return hmac.digest(key.encode(), told.encode(), "sha256").hex()


def erased_among(identifiers: Iterable[Identifier]) -> frozenset[Identifier]:
    """Those of ``(field, value)`` that belong to somebody erased and not admitted again.

    Values are normalised, as on a profile. Looks under every key there is, one query per ten
    thousand hashes.
    """
    asked = {
        hash_with(key, identifier): identifier
        for identifier in set(identifiers)
        for key in settings.ERASURE_KEYS
    }
    hashes = list(asked)
    found: set[Identifier] = set()
    for start in range(0, len(hashes), CHUNK):
        rows = ErasedIdentity.objects.active().filter(hash__in=hashes[start : start + CHUNK])
        found |= {asked[known] for known in rows.values_list("hash", flat=True)}
    return frozenset(found)


def erased_of(people: Iterable[PersonFacts]) -> frozenset[Identifier]:
    """``erased_among`` of everything that these facts know somebody by."""
    return erased_among(item for facts in people for item in facts.identifiers.items())


def without(facts: PersonFacts, erased: frozenset[Identifier]) -> PersonFacts:
    """The facts without what belongs to somebody erased."""
    kept = {item[0]: item[1] for item in facts.identifiers.items() if item not in erased}
    return PersonFacts(kept, facts.fields)


def erased_faults(facts: PersonFacts, erased: frozenset[Identifier]) -> list[Fault]:
    """A fault with the code ``erased`` for each such identifier, by its JSON name."""
    return [
        Fault(camel_case(name), ERASED, MESSAGE)
        for name, value in facts.identifiers.items()
        if (name, value) in erased
    ]


def refuse_erased(facts: PersonFacts) -> None:
    """Raise FactError if any of these identifiers belongs to somebody erased."""
    faults = erased_faults(facts, erased_of([facts]))
    if faults:
        raise FactError(faults)


def remember_erased(erasure: Erasure, identifiers: Iterable[Identifier]) -> int:
    """Put identifiers into the ledger, under the newest key. Returns how many."""
    newest = settings.ERASURE_KEYS[0]
    rows = [
        ErasedIdentity(
            erasure=erasure,
            kind=identifier[0],
            hash=hash_with(newest, identifier),
            key_id=key_id(newest),
        )
        for identifier in sorted(set(identifiers), key=str)
    ]
    return len(ErasedIdentity.objects.bulk_create(rows, ignore_conflicts=True))


@transaction.atomic
def readmit(*, identifiers: Mapping[str, Any], actor: Actor) -> int:
    """Let somebody erased come back, by any one identifier they are known by.

    All of that person's identifiers are free again; nothing of what was erased returns, and no
    consent. Returns how many. Raises ErasureError where nobody erased had any of these.
    """
    lock_identities()
    hashes = [hash_with(k, item) for item in identifiers.items() for k in settings.ERASURE_KEYS]
    found = ErasedIdentity.objects.active().filter(hash__in=hashes)
    erasure_ids = set(found.values_list("erasure_id", flat=True))
    if not erasure_ids:
        raise ErasureError("Nobody who was erased was known by this.", code=NOT_FOUND)
    return sum(_readmit(pk, actor, timezone.now()) for pk in sorted(erasure_ids))


@transaction.atomic
def readmit_erasure(*, erasure_id: UUID, actor: Actor) -> int:
    """The same for the person of one erasure. Raises ErasureError if they are back already."""
    lock_identities()
    if not Erasure.objects.filter(pk=erasure_id).exists():
        raise ErasureError("There is no such erasure.", code=NOT_FOUND)
    count = _readmit(erasure_id, actor, timezone.now())
    if not count:
        raise ErasureError("Nothing keeps them away any more.", code="already_readmitted")
    return count


def _readmit(erasure_id: UUID, actor: Actor, now: datetime) -> int:
    erasure = Erasure.objects.select_for_update().get(pk=erasure_id)
    count: int = (
        ErasedIdentity.objects.active()
        .filter(erasure=erasure)
        .update(readmitted_at=now, readmitted_by=actor.id)
    )
    if count:
        erasure.copied_at = None  # The copy must hear of it.
        erasure.save(update_fields=["copied_at"])
        audit.record("READMIT", erasure, actor=actor, metadata={"identifiers": count})
    return count
