"""What came of a campaign's messages."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from campaigns.choices import CampaignInteractionType
from campaigns.models.campaign import Campaign, Delivery
from crm_site.db.base import one_of
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel
from customers.models import CustomerProfile


class CampaignInteraction(TenantModel):
    """One thing that happened to one message: sent, delivered, opened, clicked …

    One per source event. The same message may be opened many times: counters count it once.
    """

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="interactions", db_index=False
    )
    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="campaign_interactions", db_index=False
    )
    delivery = models.ForeignKey(
        Delivery, models.SET_NULL, null=True, blank=True, related_name="interactions"
    )
    channel = models.CharField(max_length=16, choices=Channel)
    type = models.CharField(max_length=16, choices=CampaignInteractionType)
    message_id = models.CharField(max_length=128, null=True, blank=True)
    link_id = models.CharField(max_length=128, null=True, blank=True)
    link_url = models.URLField(max_length=2000, null=True, blank=True)
    device_type = models.CharField(max_length=32, null=True, blank=True)
    user_agent = models.TextField(null=True, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    location = models.JSONField(
        null=True, blank=True, help_text='{"city": "Durban", "country": "ZA"}'
    )
    # An id, not a key: ten million rows need no check that an activity is still there.
    activity_id = models.UUIDField(
        null=True, blank=True, help_text="CONVERTED: the activity that met the goal."
    )
    amount = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="CONVERTED: what it was worth, in cents, where the campaign adds up money.",
    )
    source_event_id = models.CharField(max_length=255, null=True, blank=True)
    occurred_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        verbose_name = "interaction"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source_event_id"],
                condition=Q(source_event_id__isnull=False),
                name="interaction_event_once",
            ),
            one_of("type", CampaignInteractionType, model="interaction"),
            one_of("channel", Channel, model="interaction"),
        ]
        indexes = [
            models.Index(fields=["campaign", "type", "customer"], name="interaction_type"),
            models.Index(fields=["customer", "occurred_at"], name="interaction_customer"),
            models.Index(fields=["tenant", "occurred_at"], name="interaction_occurred"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.get_channel_display()}"
