"""How often somebody may hear."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel


class FrequencyCap(TenantModel, TimestampedModel):
    """A channel's own cap; a channel that has none follows the club settings."""

    channel = models.CharField(max_length=16, choices=Channel)
    messages = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At most so many to a person …; blank: as many as there are.",
    )
    days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1)], help_text="… in so many days."
    )

    class Meta(TenantModel.Meta):
        ordering = ["channel"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "channel"], name="cap_channel_once"),
            one_of("channel", Channel, model="cap"),
            models.CheckConstraint(
                condition=Q(messages__gte=1) | Q(messages__isnull=True), name="cap_messages"
            ),
            models.CheckConstraint(condition=Q(days__gte=1), name="cap_days"),
        ]
        triggers = audited()

    def __str__(self) -> str:
        words = f"{self.messages} in {self.days} days" if self.messages else "no cap"
        return f"{self.get_channel_display()}: {words}"
