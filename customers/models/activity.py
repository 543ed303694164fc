"""What happened to a customer."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel
from customers.choices import ActivityCategory
from customers.models.profile import CustomerProfile


class Activity(TenantModel):
    """One thing that happened, as staff read it on the timeline. Never changed once written.

    A source's event makes at most one: a repeat of its event id is no second activity.
    """

    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="activities", db_index=False
    )
    type = models.CharField(max_length=64, help_text="Upper snake case: TEETIME_BOOKED.")
    category = models.CharField(max_length=16, choices=ActivityCategory)
    channel = models.CharField(
        max_length=16, null=True, blank=True, help_text="EMAIL, SMS, IN_PERSON …"
    )
    title = models.CharField(max_length=300)
    description = models.TextField(null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True, help_text="The event's own data.")
    source_service = models.CharField(max_length=32, help_text="scl, teetime, messaging or crm.")
    source_id = models.CharField(max_length=128, null=True, blank=True)
    source_event_id = models.CharField(max_length=255, null=True, blank=True)
    occurred_at = models.DateTimeField()
    processed_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source_service", "source_event_id"],
                condition=Q(source_event_id__isnull=False),
                name="activity_event_once",
            ),
            one_of("category", ActivityCategory, model="activity"),
        ]
        indexes = [
            models.Index(fields=["customer", "occurred_at", "id"], name="activity_timeline"),
            models.Index(fields=["tenant", "category", "occurred_at"], name="activity_category"),
            models.Index(fields=["tenant", "type", "occurred_at"], name="activity_type"),
            models.Index(fields=["tenant", "-occurred_at", "-id"], name="activity_newest"),
        ]

    def __str__(self) -> str:
        return self.title
