"""Two customers beside each other: what differs first."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from crm_site.backoffice.formats import ago
from customers.admin import cells
from customers.models import CustomerProfile

COMPARED = (
    *("first_name", "last_name", "display_name", "email", "phone_number", "date_of_birth"),
    *("gender", "address_line1", "address_line2", "city", "state", "postal_code", "country"),
    *("scl_member_id", "membership_tier", "membership_status", "member_since"),
    *("membership_expiry", "handicap", "home_club_name", "lifecycle_stage", "tags"),
)


@dataclass(frozen=True)
class PersonCard:
    """Who one of the two is, above their column."""

    customer: CustomerProfile
    url: str
    avatar: SafeString
    stage: SafeString
    lights: SafeString
    seen: SafeString | str
    known: SafeString | str


@dataclass(frozen=True)
class Row:
    label: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        return self.first != self.second


def person_card(customer: CustomerProfile) -> PersonCard:
    return PersonCard(
        customer=customer,
        url=reverse("admin:customers_customerprofile_change", args=[customer.pk]),
        avatar=cells.avatar(customer),
        stage=cells.stage(customer),
        lights=cells.lights(customer),
        seen=ago(customer.last_activity_at),
        known=ago(customer.created_at),
    )


def rows_of(first: CustomerProfile, second: CustomerProfile) -> list[Row]:
    """What either has, the differing first."""
    rows = [Row(label(name), shown(first, name), shown(second, name)) for name in COMPARED]
    return sorted((row for row in rows if row.first or row.second), key=lambda row: not row.differs)


def label(name: str) -> str:
    said = str(label_for_field(name, CustomerProfile))
    return said[:1].upper() + said[1:]


def shown(customer: CustomerProfile, name: str) -> str:
    """A field's value for people; "" for none."""
    return words_for(name, getattr(customer, name))


def words_for(name: str, value: Any) -> str:
    if value is None or value == []:
        return ""
    field: Any = CustomerProfile._meta.get_field(name)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, list):
        return ", ".join(value)
    if hasattr(value, "hour"):
        return str(ago(value))
    if hasattr(value, "isoformat"):
        return date_format(value, "j F Y")
    return str(value)
