"""Whose each field of a customer is, when they last spoke, and what to do where they are wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm_site.backoffice.formats import ago
from customers.models import CustomerProfile
from customers.models.profile import COMPUTED_FIELDS, CONSENT_FIELDS
from customers.services.ownership import EXCLUSIVE, OWNER

NAMES = {"scl": "SCL", "teetime": "TeeTime", "messaging": "Messaging", "crm": "us"}
LINKS = {
    "scl": "scl_member_id",
    "teetime": "teetime_player_id",
    "messaging": "messaging_contact_id",
}


@dataclass(frozen=True)
class KeptField:
    """A field that another service owns and that is read-only here because of that."""

    name: str
    label: str
    value: object
    owner: str

    @property
    def owner_name(self) -> str:
        return NAMES[self.owner]


def is_kept_elsewhere(customer: CustomerProfile, name: str) -> bool:
    """Whether another service's word on a field is the only one that counts for this customer."""
    owner = OWNER.get(name)
    if name in CONSENT_FIELDS or name in EXCLUSIVE:
        return True
    return owner is not None and getattr(customer, LINKS[owner]) is not None


def kept_fields(customer: CustomerProfile) -> list[KeptField]:
    """What staff cannot change here of this customer, with what we hold of it."""
    return list(_kept(customer))


def _kept(customer: CustomerProfile) -> Iterator[KeptField]:
    for field in CustomerProfile._meta.concrete_fields:
        owner = OWNER.get(field.name)
        is_link = field.name in LINKS.values()
        value: Any = getattr(customer, field.attname)
        if owner and value is not None and not is_link and is_kept_elsewhere(customer, field.name):
            label = str(field.verbose_name)
            yield KeptField(field.name, label[:1].upper() + label[1:], value, owner)


def said_at(customer: CustomerProfile, source: str, name: str = "") -> datetime | None:
    """When a source last told us something of the customer, or of one field; None for never."""
    times = customer.source_times.get(source, {})
    moment = times.get(name) if name else max(times.values(), default=None)
    return datetime.fromtimestamp(moment / 1_000_000, UTC) if moment else None


def source_of(customer: CustomerProfile, name: str) -> str:
    """Who told us what we hold of a field: a service, or staff."""
    said = {source: times[name] for source, times in customer.source_times.items() if name in times}
    owner = OWNER.get(name)
    if owner is not None and owner in said:
        return owner
    return min(said, key=lambda source: said[source]) if said else "crm"


def badges(customer: CustomerProfile) -> dict[str, SafeString]:
    """What stands under each field of the form: its owner, and how fresh it is."""
    return {
        field.name: _badge(customer, field.name)
        for field in CustomerProfile._meta.concrete_fields
        if field.name not in COMPUTED_FIELDS
    }


def _badge(customer: CustomerProfile, name: str) -> SafeString:
    if is_kept_elsewhere(customer, name):
        owner = OWNER.get(name, "messaging")
        since = said_at(customer, owner, name) or said_at(customer, owner)
        fresh = format_html("synced {}", ago(since)) if since else "nothing told yet"
        return format_html('<span class="crm-owner is-elsewhere">{}</span> {}', NAMES[owner], fresh)
    teller = source_of(customer, name)
    since = said_at(customer, teller, name)
    if since is None:
        return format_html('<span class="crm-owner">{}</span>', "Ours")
    return format_html(
        '<span class="crm-owner">{}</span> filled in by {} {}', "Ours", NAMES[teller], ago(since)
    )
