"""Promoting competitions and club events by themselves."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models

from campaigns.choices import EventSourceType
from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of, only
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel
from crm_site.tenancy.models import Club
from segments.models import CustomerSegment


def default_reminder_days() -> list[int]:
    return [7, 3, 1]


class EventPromotion(TenantModel, TimestampedModel):
    """How one competition or event is announced and reminded of."""

    club = models.ForeignKey(Club, models.PROTECT, related_name="+", db_index=False)
    source_type = models.CharField(max_length=16, choices=EventSourceType)
    source_id = models.CharField(max_length=128, help_text="TeeTime's competition id, or similar.")
    auto_promote = models.BooleanField("promote by itself", default=True)
    channels = ArrayField(
        models.CharField(max_length=16, choices=Channel), default=list, blank=True
    )
    announce_at = models.DateTimeField(null=True, blank=True)
    reminder_days = ArrayField(
        models.IntegerField(validators=[MinValueValidator(0)]),
        default=default_reminder_days,
        help_text="Days before the event.",
    )
    segment = models.ForeignKey(
        CustomerSegment, models.PROTECT, null=True, blank=True, related_name="promotions",
        help_text="Blank: all members.",
    )  # fmt: skip
    target_radius = models.PositiveIntegerField(
        null=True, blank=True, help_text="Kilometres from the club."
    )
    email_template_id = models.CharField(max_length=128, null=True, blank=True)
    sms_template_id = models.CharField(max_length=128, null=True, blank=True)
    social_content = models.TextField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    last_promoted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=100, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "promotion"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source_type", "source_id"], name="promotion_once"
            ),
            one_of("source_type", EventSourceType, model="promotion"),
            only("channels", Channel, model="promotion"),
        ]
        indexes = [
            models.Index(fields=["tenant", "club"], name="promotion_club"),
            models.Index(fields=["tenant", "is_active"], name="promotion_active"),
        ]
        triggers = audited("last_promoted_at")

    def __str__(self) -> str:
        return f"{self.get_source_type_display()} {self.source_id}"
