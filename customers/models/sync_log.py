"""Events that came in."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import SyncStatus

MAX_ATTEMPTS = 8


class SyncLogQuerySet(models.QuerySet["SyncLog"]):
    def due(self, now: datetime) -> "SyncLogQuerySet":
        """Events to be processed now: new ones, and failed ones whose delay is over."""
        return self.filter(next_attempt_at__lte=now)


class SyncLog(TenantModel):
    """One event from another service: the inbox and the proof of what was done with it.

    ``(tenant, sourceService, eventId)`` names an event for ever. The payload goes after the
    tenant's retention; its hash stays, so that a changed repeat is still seen.
    """

    source_service = models.CharField("from", max_length=32, help_text="scl, teetime or messaging.")
    event_type = models.CharField("event", max_length=128)
    event_id = models.CharField(max_length=255)
    event_payload = models.JSONField(null=True, blank=True, help_text="The whole CloudEvent.")
    payload_hash = models.CharField(
        max_length=64, help_text="SHA-256 of the event, canonical JSON."
    )
    occurred_at = models.DateTimeField(help_text="The event's own time.")
    status = models.CharField(max_length=16, choices=SyncStatus, default=SyncStatus.PENDING)
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        null=True,
        blank=True,
        default=timezone.now,
        help_text="When to process it; null once done, or given up until staff replay it.",
    )
    error = models.TextField(null=True, blank=True)
    conflict_count = models.IntegerField(
        default=0, help_text="Times the same id came again with another body."
    )
    conflict_payload = models.JSONField(
        null=True, blank=True, help_text="The last such body, kept as evidence."
    )
    # Ids, not keys: the log outlives what it made.
    customer_id = models.UUIDField(null=True, blank=True)
    activity_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField("received", default=timezone.now, editable=False)

    objects, all_tenants = tenant_managers(SyncLogQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "event"
        verbose_name_plural = "event inbox"
        permissions = [("replay_synclog", "Can replay events")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source_service", "event_id"], name="event_once"
            ),
            one_of("status", SyncStatus, model="synclog"),
        ]
        indexes = [
            models.Index(fields=["tenant", "status"], name="synclog_status"),
            models.Index(fields=["tenant", "source_service", "event_type"], name="synclog_type"),
            models.Index(fields=["created_at"], name="synclog_created"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="synclog_newest"),
            # What came about one person, for their export and their erasure.
            models.Index(
                fields=["tenant", "customer_id"],
                condition=Q(customer_id__isnull=False),
                name="synclog_customer",
            ),
            # Serves the claim; stays small, since nearly every row is done.
            models.Index(
                fields=["tenant", "id"],
                condition=Q(next_attempt_at__isnull=False),
                name="synclog_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_service} {self.event_type}"
