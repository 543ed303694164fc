"""Finding the one customer behind an identifier."""

from crm_site.access.services import tenant_in_scope
from customers.choices import IdentityAliasType
from customers.models import CustomerProfile, IdentityAlias
from customers.normalize import NormalizeError, normalize_email, normalize_phone

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
