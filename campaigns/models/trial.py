"""Test messages, and the people who get them besides staff."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from campaigns.choices import DeliveryState
from campaigns.models.campaign import Campaign
from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel


class SeedRecipient(TenantModel, TimestampedModel):
    """Somebody who gets test messages and is no customer: a mailbox of one's own, a committee."""

    name = models.CharField(max_length=100)
    email = models.EmailField("e-mail", max_length=254, null=True, blank=True)
    phone_number = models.CharField(
        max_length=20, null=True, blank=True, help_text="With its country code: +27821234567."
    )
    auth_user_id = models.CharField(
        "user id", max_length=64, null=True, blank=True, help_text="For push messages."
    )
    is_active = models.BooleanField("in use", default=True)

    class Meta(TenantModel.Meta):
        verbose_name = "test recipient"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="seed_name_once"),
            models.CheckConstraint(
                condition=Q(email__isnull=False)
                | Q(phone_number__isnull=False)
                | Q(auth_user_id__isnull=False),
                name="seed_has_address",
            ),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        for field in ("email", "phone_number", "auth_user_id"):
            setattr(self, field, getattr(self, field) or None)
        if not (self.email or self.phone_number or self.auth_user_id):
            raise ValidationError({"email": "Give at least one address to write to."})


class TrialMessage(TenantModel, TimestampedModel):
    """One test message of a campaign: sent as any other, and outside every figure.

    No delivery and no interaction: what comes back about it is passed over.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="trials", db_index=False)
    channel = models.CharField(max_length=16, choices=Channel)
    template_id = models.CharField(max_length=128)
    recipient_name = models.CharField(max_length=200)
    address = models.CharField(max_length=254)
    variables = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=128, null=True, blank=True)
    error = models.TextField(null=True, blank=True, help_text="Messaging's own words.")
    requested_by = models.CharField(max_length=100)

    class Meta(TenantModel.Meta):
        verbose_name = "test message"
        constraints = [one_of("state", DeliveryState, model="test_message")]
        indexes = [
            models.Index(fields=["campaign", "-created_at"], name="test_message_of_campaign"),
            models.Index(
                fields=["tenant", "created_at"],
                condition=Q(state__in=["PENDING", "CLAIMED", "UNKNOWN"]),
                name="test_message_open",
            ),
        ]

    def __str__(self) -> str:
        return f"Test of {self.campaign_id} to {self.recipient_name}"
