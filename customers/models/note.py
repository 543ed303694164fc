"""What staff wrote about a customer."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import NoteType
from customers.models.profile import CustomerProfile

FOLLOW_UP_OPEN = Q(follow_up_on__isnull=False, done_at__isnull=True)


class CustomerNoteQuerySet(models.QuerySet["CustomerNote"]):
    def visible_to(self, actor_id: str) -> "CustomerNoteQuerySet":
        """Everybody's notes, and the private ones of this actor alone."""
        return self.filter(Q(is_private=False) | Q(created_by=actor_id))

    def to_follow_up(self, actor_id: str) -> "CustomerNoteQuerySet":
        """Notes in which this actor promised to come back, and has not yet; soonest first."""
        open_ones = self.filter(FOLLOW_UP_OPEN, created_by=actor_id)
        return open_ones.order_by("follow_up_on", "pk")


class CustomerNote(TenantModel, TimestampedModel):
    """A note by staff. A private one is for its author alone, wherever notes are shown."""

    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="notes", db_index=False
    )
    type = models.CharField(max_length=16, choices=NoteType, default=NoteType.GENERAL)
    content = models.TextField(max_length=10_000)
    is_pinned = models.BooleanField("pinned", default=False)
    is_private = models.BooleanField("private", default=False, help_text="Only you will see it.")
    follow_up_on = models.DateField(
        null=True, blank=True, help_text="The day its author means to come back to it."
    )
    done_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When that was done."
    )
    created_by = models.CharField(max_length=100, editable=False)
    updated_by = models.CharField(max_length=100, null=True, blank=True, editable=False)

    objects, all_tenants = tenant_managers(CustomerNoteQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "note"
        constraints = [one_of("type", NoteType, model="note")]
        indexes = [
            models.Index(fields=["customer", "is_pinned", "created_at"], name="note_customer"),
            models.Index(fields=["tenant", "type"], name="note_type"),
            models.Index(
                fields=["tenant", "created_by", "follow_up_on"],
                condition=FOLLOW_UP_OPEN,
                name="note_follow_up",
            ),
        ]
        # Words of a private note would be readable by everyone who may read the log.
        triggers = audited("content")

    def __str__(self) -> str:
        return self.content[:60]


class NoteRevision(TenantModel):
    """What a note said before somebody changed its words or its kind; the note has the latest.

    Who may read the note may read these. The audit log, which more people read, has no words of
    notes at all.
    """

    note = models.ForeignKey(CustomerNote, models.CASCADE, related_name="revisions")
    type = models.CharField(max_length=16, choices=NoteType)
    content = models.TextField(max_length=10_000)
    replaced_by = models.CharField(max_length=100, help_text="Actor id of who changed it.")
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [one_of("type", NoteType, model="noterevision")]

    def __str__(self) -> str:
        return self.content[:60]
