"""Other identifiers of a customer."""

from django.db import models

from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.tenancy.base import TenantModel
from customers.choices import IdentityAliasType
from customers.models.profile import CustomerProfile


class IdentityAlias(TenantModel, TimestampedModel):
    """An identifier that leads to a customer beside the ones on the profile itself.

    Further e-mails and phones, and everything a merged profile was known by. An EXTERNAL_ID is
    written ``<link>:<id>``: ``sclMemberId:1042``, ``teetimePlayerId:…``, ``messagingContactId:…``.
    """

    customer = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="aliases")
    type = models.CharField(max_length=16, choices=IdentityAliasType)
    value = models.CharField(max_length=254, help_text="Normalised like the profile's own.")
    is_primary = models.BooleanField(default=False)
    verified_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(
        max_length=32, null=True, blank=True, help_text="Who told us: scl, teetime, merge …"
    )

    class Meta(TenantModel.Meta):
        verbose_name = "identifier"
        ordering = ["type", "value"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "type", "value"], name="alias_once"),
            one_of("type", IdentityAliasType, model="alias"),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return self.value
