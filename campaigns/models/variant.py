"""What is tried against what."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from campaigns.models.campaign import TEMPLATE_FIELDS, Campaign
from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel


class CampaignVariant(TenantModel, TimestampedModel):
    """One way to say it, tried on its share of the campaign's test group.

    What is blank is as on the campaign. Who gets which follows from the run and the customer, so
    it is the same however often it is worked out.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="variants", db_index=False)
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=50)
    share = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of the test group.",
    )
    email_template_id = models.CharField("e-mail template", max_length=128, null=True, blank=True)
    sms_template_id = models.CharField("SMS template", max_length=128, null=True, blank=True)
    push_template_id = models.CharField("push template", max_length=128, null=True, blank=True)
    send_hour = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(23)],
        help_text="Goes out at this hour by the clock of the campaign's zone; blank: at once.",
    )

    class Meta(TenantModel.Meta):
        verbose_name = "variant"
        ordering = ["campaign", "position"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="variant_name_once"),
            models.UniqueConstraint(fields=["campaign", "position"], name="variant_position_once"),
            models.CheckConstraint(condition=Q(share__range=(1, 100)), name="variant_share"),
            models.CheckConstraint(
                condition=Q(send_hour__lte=23) | Q(send_hour__isnull=True), name="variant_hour"
            ),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return self.name

    def template_for(self, channel: str) -> str | None:
        """Its own template for a channel; None where it says what the campaign says."""
        field = TEMPLATE_FIELDS.get(Channel(channel))
        return getattr(self, field) if field else None
