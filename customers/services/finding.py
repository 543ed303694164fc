"""Finding the one customer behind an identifier, and the many behind a list of them."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any
from uuid import UUID

from crm_site.access.services import tenant_in_scope
from customers.choices import IdentityAliasType
from customers.models import CustomerProfile, IdentityAlias
from customers.normalize import NormalizeError, normalize_email, normalize_phone
from customers.services.identity import ALIAS_TYPES, alias_value, find_aliases

FIELDS = {IdentityAliasType.EMAIL: "email", IdentityAliasType.PHONE: "phone_number"}
MAX_MEMBER_NUMBER = 2**31 - 1  # The column's own limit.


def find_customer(kind: IdentityAliasType, value: str) -> CustomerProfile | None:
    """The live customer whose own identifier this is, or one of whose others.

    ``value`` is normalised. What belonged to a merged profile leads to its survivor.
    """
    own = CustomerProfile.objects.live().filter(**{FIELDS[kind]: value}).first()
    if own is not None:
        return own
    alias = IdentityAlias.objects.filter(type=kind, value=value).select_related("customer").first()
    return survivor_of(alias.customer) if alias else None


def find_by_address(text: str) -> CustomerProfile | None:
    """The live customer with this e-mail address, phone number or member number, as people type
    them; a phone number without country code is the tenant's.
    """
    try:
        if "@" in text:
            return find_customer(IdentityAliasType.EMAIL, normalize_email(text))
        if text.isascii() and text.isdecimal() and int(text) <= MAX_MEMBER_NUMBER:
            member = CustomerProfile.objects.live().filter(scl_member_id=int(text)).first()
            if member is not None:
                return member
        phone = normalize_phone(text, tenant_in_scope().country)
        return find_customer(IdentityAliasType.PHONE, phone)
    except NormalizeError:
        return None


def survivor_of(profile: CustomerProfile) -> CustomerProfile | None:
    """Where a chain of merges ends; None if that profile is deleted."""
    while profile.merged_into is not None:
        profile = profile.merged_into
    return profile if profile.is_live else None


class IdentifierKind(StrEnum):
    """What a list of identifiers holds."""

    ANY = "any"
    ID = "id"
    EMAIL = "email"
    PHONE = "phoneNumber"
    MEMBER_NUMBER = "memberNumber"


CHUNK_SIZE = 5_000
# A field of a profile, and what a text would be there.
Reading = tuple[str, Any]


def find_many(texts: Iterable[str], kind: IdentifierKind) -> dict[str, UUID]:
    """Of texts as people type them, the live customers they lead to; who is not found is not in it.

    What belonged to a merged profile leads to its survivor. Of any kind: an id, an address with an
    at sign, a member number, and last a phone number, the tenant's where it has no country code.
    """
    country, found = tenant_in_scope().country, dict[str, UUID]()
    readings = {text: list(_readings(text, kind, country)) for text in texts}
    pending = [text for text, read in readings.items() if read]
    for start in range(0, len(pending), CHUNK_SIZE):
        chunk = pending[start : start + CHUNK_SIZE]
        holders = _holders({reading for text in chunk for reading in readings[text]})
        for text in chunk:
            leads = (holders[reading] for reading in readings[text] if reading in holders)
            if (customer_id := next(leads, None)) is not None:
                found[text] = customer_id
    return found


def _readings(text: str, kind: IdentifierKind, country: str) -> Iterable[Reading]:
    """What a text may mean, the likeliest first; nothing where it can mean nothing."""
    is_any = kind == IdentifierKind.ANY
    text = text.strip()
    if is_any or kind == IdentifierKind.ID:
        try:
            yield "id", UUID(text)
        except ValueError:
            pass
        else:
            return
    if (is_any and "@" in text) or kind == IdentifierKind.EMAIL:
        yield from _normalised("email", lambda: normalize_email(text))
        return
    is_number = text.isascii() and text.isdecimal() and int(text[:20]) <= MAX_MEMBER_NUMBER
    if is_number and (is_any or kind == IdentifierKind.MEMBER_NUMBER):
        yield "scl_member_id", int(text)
    if is_any or kind == IdentifierKind.PHONE:
        yield from _normalised("phone_number", lambda: normalize_phone(text, country))


def _normalised(name: str, read: Callable[[], str]) -> Iterable[Reading]:
    try:
        yield name, read()
    except NormalizeError:
        return


def _holders(readings: set[Reading]) -> dict[Reading, UUID]:
    """Who answers to each, by what is their own or by what else they had."""
    wanted: dict[str, set[Any]] = {}
    for name, value in readings:
        wanted.setdefault(name, set()).add(value)
    live = CustomerProfile.objects.live()
    holders: dict[Reading, UUID] = {}
    for name, values in wanted.items():
        rows = live.filter(**{f"{name}__in": values}).values_list(name, "pk")
        holders |= {(name, value): pk for value, pk in rows}
    holders |= _survivors(wanted.pop("id", set()) - {pk for _, pk in holders.items()})
    by_alias: dict[tuple[str, str], Reading] = {
        (ALIAS_TYPES[name], alias_value(name, value)): (name, value)
        for name, values in wanted.items()
        for value in values
        if (name, value) not in holders
    }
    missing = {name: {v for n, v in by_alias.values() if n == name} for name in wanted}
    led = list(find_aliases(missing))
    alive = set(live.filter(pk__in={pk for _, _, pk in led}).values_list("pk", flat=True))
    return holders | {by_alias[type_, value]: pk for type_, value, pk in led if pk in alive}


def _survivors(ids: set[UUID]) -> dict[Reading, UUID]:
    """Of ids of merged profiles, where each merge ended."""
    merged = CustomerProfile.objects.filter(pk__in=ids, merged_into__isnull=False)
    ends = ((row.pk, survivor_of(row)) for row in merged.select_related("merged_into"))
    return {("id", pk): end.pk for pk, end in ends if end is not None}
