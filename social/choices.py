"""Values of the social tables' enums, as the data model has them."""

from django.db import models


class SocialPlatform(models.TextChoices):
    FACEBOOK = "FACEBOOK", "Facebook"
    INSTAGRAM = "INSTAGRAM", "Instagram"
    TWITTER = "TWITTER", "X (Twitter)"
    LINKEDIN = "LINKEDIN", "LinkedIn"
    TIKTOK = "TIKTOK", "TikTok"


class SocialPostStatus(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    SCHEDULED = "SCHEDULED", "Scheduled"
    PUBLISHING = "PUBLISHING", "Publishing"
    PUBLISHED = "PUBLISHED", "Published"
    FAILED = "FAILED", "Failed"
