"""Opening tenants, and going through them."""

from django.core.exceptions import ValidationError
from django.db import transaction

from crm_site.errors import DomainError
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.countries import country_of
from crm_site.tenancy.models import Installation, Tenant
from crm_site.tenancy.signals import tenant_created


class TenantError(DomainError):
    """A tenant cannot be opened like this."""


def create_tenant(
    *, tenant_id: str, name: str, time_zone: str, currency: str, country: str = ""
) -> Tenant:
    """Open a tenant with everything a new one starts with.

    ``time_zone`` is an IANA name, ``currency`` ISO 4217, ``country`` ISO 3166-1 alpha-2; by default
    the one that the time zone lies in.
    Raises TenantError naming the field at fault, or if the id is taken.
    """
    tenant = Tenant(
        id=tenant_id,
        name=name,
        time_zone=time_zone,
        currency=currency,
        country=country or country_of(time_zone),
    )
    try:
        tenant.full_clean()
    except ValidationError as error:
        field, texts = next(iter(error.message_dict.items()))
        raise TenantError(texts[0], path=field, code="invalid") from error
    with tenant_scope(tenant_id), transaction.atomic():
        tenant.save(force_insert=True)
        tenant_created.send(sender=Tenant, tenant=tenant)
    return tenant


def active_tenant_ids() -> list[str]:
    """Of the tenants in use, for sweeps: each is then entered by itself, for none sees another."""
    return list(Tenant.objects.filter(is_active=True).values_list("pk", flat=True))


def switch_sending(*, is_enabled: bool, reason: str = "") -> Installation:
    """Let every club send, or none. Holds from the next claim of every worker on."""
    installation, _ = Installation.objects.update_or_create(
        pk=1, defaults={"is_sending_enabled": is_enabled, "reason": "" if is_enabled else reason}
    )
    return installation
