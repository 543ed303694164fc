"""Who was erased: without a name, and so that they are known again."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import ErasureReason


class Erasure(TenantModel):
    """One person erased: when, by whom, why, and how many rows of which table it touched.

    The profiles' rows stay, emptied, so that what was counted still counts; their ids say nothing
    about anybody. Nothing personal is here.
    """

    profile_ids = ArrayField(
        models.UUIDField(), help_text="The profile, and those merged into it or left of it."
    )
    reason = models.CharField(max_length=16, choices=ErasureReason, default=ErasureReason.REQUEST)
    erased_at = models.DateTimeField(default=timezone.now)
    performed_by = models.CharField(max_length=100)
    counts = models.JSONField(default=dict, help_text='Rows by table: {"CustomerNote": 3}.')
    mentioned_in = models.JSONField(
        default=list,
        help_text="What still named them, for staff to change: "
        '[{"entityType": "CustomerSegment", "entityId": "…"}].',
    )
    copied_at = models.DateTimeField(
        null=True, blank=True, help_text="When it went into the copy that backups are checked by."
    )

    class Meta(TenantModel.Meta):
        constraints = [one_of("reason", ErasureReason, model="erasure")]
        indexes = [
            models.Index(fields=["tenant", "-erased_at", "-id"], name="erasure_newest"),
            models.Index(
                fields=["tenant"],
                condition=models.Q(copied_at__isnull=True),
                name="erasure_to_copy",
            ),
        ]

    def __str__(self) -> str:
        return f"Erasure of {self.erased_at:%d %b %Y}"


class ErasedIdentityQuerySet(models.QuerySet["ErasedIdentity"]):
    def active(self) -> "ErasedIdentityQuerySet":
        """Identifiers that may not come back: those not admitted again since."""
        return self.filter(readmitted_at__isnull=True)


class ErasedIdentity(TenantModel):
    """A keyed hash of one identifier of somebody erased, so that it is known when it comes again.

    Without the key (``ERASURE_KEYS``) it cannot be turned back, nor compared between tenants.
    """

    erasure = models.ForeignKey(Erasure, models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=32, help_text="The identifier's field: email, phone_number.")
    hash = models.CharField(max_length=64, help_text="HMAC-SHA256 of tenant, kind and value.")
    key_id = models.CharField(max_length=16, help_text="Which of the keys made it.")
    readmitted_at = models.DateTimeField(null=True, blank=True)
    readmitted_by = models.CharField(max_length=100, null=True, blank=True)

    objects, all_tenants = tenant_managers(ErasedIdentityQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "erased identities"
        constraints = [
            models.UniqueConstraint(fields=["erasure", "hash"], name="erased_identity_once")
        ]
        indexes = [models.Index(fields=["tenant", "hash"], name="erased_identity_hash")]

    def __str__(self) -> str:
        return f"{self.kind} {self.hash[:8]}"

    def as_json(self) -> dict[str, Any]:
        """What the copy outside the database keeps of it."""
        back = self.readmitted_at
        return {
            "kind": self.kind,
            "hash": self.hash,
            "keyId": self.key_id,
            "readmittedAt": back.isoformat() if back else None,
            "readmittedBy": self.readmitted_by,
        }
