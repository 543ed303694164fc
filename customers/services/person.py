"""All rows that are one person: the profile, what was merged into it, and what was left of it."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from crm_site.db.names import camel_case
from customers.choices import CustomerStatus
from customers.models import CustomerProfile, IdentityAlias
from customers.normalize import first_names_contradict
from customers.services.erased import Identifier
from customers.services.facts import IDENTIFIERS
from customers.services.identity import ALIAS_TYPES, LINKS, SHARED_IN_FAMILIES

FIELD_OF_LINK = {camel_case(name): name for name in LINKS}
FIELD_OF_ALIAS: dict[str, str] = {
    kind: name for name, kind in ALIAS_TYPES.items() if name not in LINKS
}


def whole_person(profile: CustomerProfile) -> list[CustomerProfile]:
    """The profile, all that was merged into it however long ago, and deleted ones of the same
    person: those with one of their identifiers, unless two first names say it is a relative.

    Locked, in the order of their ids. Call with the tenant's identities locked.
    """
    known = {profile.pk}
    fresh = [profile]
    while fresh:
        others = CustomerProfile.objects.exclude(pk__in=known).filter(erased_at__isnull=True)
        merged = others.filter(merged_into__in=fresh)
        fresh = [*merged, *_left_behind(others, fresh)]
        known |= {row.pk for row in fresh}
    rows = CustomerProfile.objects.filter(pk__in=known).order_by("pk")
    return list(rows.defer("search_vector").select_for_update())


def _left_behind(
    others: QuerySet[CustomerProfile], people: Collection[CustomerProfile]
) -> list[CustomerProfile]:
    """Deleted profiles with an identifier of theirs; served by the index on status."""
    condition = Q()
    for name in IDENTIFIERS:
        held = {getattr(each, name) for each in people} - {None}
        condition |= Q(**{f"{name}__in": held}) if held else Q()
    if not condition:
        return []
    rows = others.filter(condition, status=CustomerStatus.DELETED, merged_at__isnull=True)
    return [row for row in rows if any(_is_same(row, each) for each in people)]


def _is_same(row: CustomerProfile, other: CustomerProfile) -> bool:
    shared = {
        name
        for name in IDENTIFIERS
        if getattr(row, name) is not None and getattr(row, name) == getattr(other, name)
    }
    is_family = shared <= {*SHARED_IN_FAMILIES}
    return bool(shared) and not (
        is_family and first_names_contradict(row.first_name, other.first_name)
    )


def identifiers_of(profile_ids: Iterable[UUID]) -> set[Identifier]:
    """Everything that these profiles are known by, aliases included, by the profile's fields."""
    ids = list(profile_ids)
    found: set[Identifier] = set()
    for row in CustomerProfile.objects.filter(pk__in=ids).values(*IDENTIFIERS):
        found |= {(name, value) for name, value in row.items() if value is not None}
    aliases = IdentityAlias.objects.filter(customer_id__in=ids)
    return found | {_own(kind, value) for kind, value in aliases.values_list("type", "value")}


def _own(kind: str, value: str) -> Identifier:
    """An alias as the profile's own field would hold it: ``sclMemberId:1042`` is a number."""
    link, _, told = value.partition(":")
    if kind in FIELD_OF_ALIAS:
        return FIELD_OF_ALIAS[kind], value
    name = FIELD_OF_LINK.get(link)
    if name is None:
        return link, told
    field: Any = CustomerProfile._meta.get_field(name)
    return name, field.to_python(told)
