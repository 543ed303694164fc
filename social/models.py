"""The club's own voice on social platforms."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from campaigns.models import Campaign
from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.db.fields import EncryptedTextField
from crm_site.tenancy.base import TenantModel
from crm_site.tenancy.models import Club
from social.choices import SocialPlatform, SocialPostStatus


class SocialConnection(TenantModel, TimestampedModel):
    """A page or account of the club on a platform, and the tokens to post with, encrypted."""

    club = models.ForeignKey(
        Club, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    platform = models.CharField(max_length=16, choices=SocialPlatform)
    account_id = models.CharField(max_length=128)
    account_name = models.CharField(max_length=200)
    account_type = models.CharField(
        max_length=32, null=True, blank=True, help_text="page, profile or business."
    )
    access_token = EncryptedTextField(editable=False)
    refresh_token = EncryptedTextField(null=True, blank=True, editable=False)
    token_expiry = models.DateTimeField(null=True, blank=True)
    permissions = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(null=True, blank=True, editable=False)
    connected_by = models.CharField(max_length=100, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "connection"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "platform", "account_id"], name="connection_once"
            ),
            one_of("platform", SocialPlatform, model="connection"),
        ]
        indexes = [
            models.Index(fields=["tenant", "platform", "is_active"], name="connection_platform"),
            models.Index(fields=["tenant", "club"], name="connection_club"),
        ]
        triggers = audited(
            "access_token", "refresh_token", "last_used_at", "last_error_at", "last_error"
        )

    def __str__(self) -> str:
        return f"{self.account_name} on {self.get_platform_display()}"


class SocialPost(TenantModel, TimestampedModel):
    """One post on one connection."""

    connection = models.ForeignKey(SocialConnection, models.CASCADE, related_name="posts")
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="social_posts"
    )
    content = models.TextField()
    media_urls = ArrayField(models.URLField(max_length=500), default=list, blank=True)
    link_url = models.URLField(max_length=2000, null=True, blank=True)
    hashtags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    status = models.CharField(
        max_length=16, choices=SocialPostStatus, default=SocialPostStatus.DRAFT
    )
    scheduled_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    platform_post_id = models.CharField(max_length=128, null=True, blank=True, editable=False)
    platform_url = models.URLField(max_length=500, null=True, blank=True, editable=False)
    error = models.TextField(null=True, blank=True, editable=False)
    attempts = models.IntegerField(default=0, editable=False)
    likes = models.IntegerField(default=0, editable=False)
    comments = models.IntegerField(default=0, editable=False)
    shares = models.IntegerField(default=0, editable=False)
    reach = models.IntegerField(default=0, editable=False)
    impressions = models.IntegerField(default=0, editable=False)
    engagement_synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=100, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "post"
        constraints = [one_of("status", SocialPostStatus, model="post")]
        indexes = [
            models.Index(fields=["tenant", "status"], name="post_status"),
            models.Index(fields=["tenant", "scheduled_at"], name="post_scheduled"),
        ]
        triggers = audited(
            "likes", "comments", "shares", "reach", "impressions", "engagement_synced_at"
        )

    def __str__(self) -> str:
        return self.content[:60]
