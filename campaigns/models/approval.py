"""Two pairs of eyes."""

from django.db import models
from django.db.models import Q

from campaigns.choices import ApprovalStatus
from campaigns.models.campaign import Campaign
from crm_site.db.base import TimestampedModel, one_of
from crm_site.tenancy.base import TenantModel


class CampaignApproval(TenantModel, TimestampedModel):
    """Somebody asked that a campaign be looked at, and what a second person said.

    ``review`` is what the review showed then. It holds for the campaign as it was: ``fingerprint``
    tells whether it still is. At most one request of a campaign is open.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="approvals", db_index=False)
    status = models.CharField(
        max_length=16, choices=ApprovalStatus, default=ApprovalStatus.REQUESTED
    )
    fingerprint = models.CharField(max_length=64)
    recipient_count = models.IntegerField("people who would hear")
    review = models.JSONField(help_text="What the review showed: counts and findings.")
    requested_by = models.CharField(max_length=100)
    requested_at = models.DateTimeField()
    decided_by = models.CharField(max_length=100, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    remark = models.TextField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "approval"
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(status="REQUESTED"), name="approval_asked_once"
            ),
            one_of("status", ApprovalStatus, model="approval"),
        ]
        indexes = [
            models.Index(fields=["campaign", "-requested_at"], name="approval_newest"),
            models.Index(
                fields=["tenant", "requested_at"],
                condition=Q(status="REQUESTED"),
                name="approval_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.campaign_id}"
