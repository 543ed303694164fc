"""Whom a campaign is for, beside its first segment."""

from django.db import models

from campaigns.choices import SegmentRole
from campaigns.models.campaign import Campaign
from crm_site.db.auditing import audited
from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel
from segments.models import CustomerSegment


class CampaignSegment(TenantModel):
    """A further segment of a campaign: its members hear too, or they never do.

    Beside ``Campaign.segment``, which the data model has. Whoever is in a segment that is left out
    does not hear, whatever else they are in.
    """

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="segment_links", db_index=False
    )
    segment = models.ForeignKey(CustomerSegment, models.PROTECT, related_name="campaign_links")
    role = models.CharField(max_length=8, choices=SegmentRole)

    class Meta(TenantModel.Meta):
        verbose_name = "segment of a campaign"
        verbose_name_plural = "segments of campaigns"
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "segment"], name="segment_of_campaign_once"
            ),
            one_of("role", SegmentRole, model="campaign_segment"),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.segment_id}"
