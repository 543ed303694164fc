"""Finding the one customer behind an identifier."""

from customers.choices import IdentityAliasType
from customers.models import CustomerProfile, IdentityAlias

FIELDS = {IdentityAliasType.EMAIL: "email", IdentityAliasType.PHONE: "phone_number"}


def find_customer(kind: IdentityAliasType, value: str) -> CustomerProfile | None:
    """The live customer whose own identifier this is, or one of whose others.

    ``value`` is normalised. What belonged to a merged profile leads to its survivor.
    """
    own = CustomerProfile.objects.live().filter(**{FIELDS[kind]: value}).first()
    if own is not None:
        return own
    alias = IdentityAlias.objects.filter(type=kind, value=value).select_related("customer").first()
    return survivor_of(alias.customer) if alias else None


def survivor_of(profile: CustomerProfile) -> CustomerProfile | None:
    """Where a chain of merges ends; None if that profile is deleted."""
    while profile.merged_into is not None:
        profile = profile.merged_into
    return profile if profile.is_live else None
