"""What staff wrote about a customer."""

from django.db import models
from django.db.models import Q

from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import NoteType
from customers.models.profile import CustomerProfile


class CustomerNoteQuerySet(models.QuerySet["CustomerNote"]):
    def visible_to(self, actor_id: str) -> "CustomerNoteQuerySet":
        """Everybody's notes, and the private ones of this actor alone."""
        return self.filter(Q(is_private=False) | Q(created_by=actor_id))


class CustomerNote(TenantModel, TimestampedModel):
    """A note by staff. A private one is for its author alone, wherever notes are shown."""

    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="notes", db_index=False
    )
    type = models.CharField(max_length=16, choices=NoteType, default=NoteType.GENERAL)
    content = models.TextField(max_length=10_000)
    is_pinned = models.BooleanField("pinned", default=False)
    is_private = models.BooleanField("private", default=False, help_text="Only you will see it.")
    created_by = models.CharField(max_length=100, editable=False)
    updated_by = models.CharField(max_length=100, null=True, blank=True, editable=False)

    objects, all_tenants = tenant_managers(CustomerNoteQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "note"
        constraints = [one_of("type", NoteType, model="note")]
        indexes = [
            models.Index(fields=["customer", "is_pinned", "created_at"], name="note_customer"),
            models.Index(fields=["tenant", "type"], name="note_type"),
        ]
        # Words of a private note would be readable by everyone who may read the log.
        triggers = audited("content")

    def __str__(self) -> str:
        return self.content[:60]
