"""Social rows as JSON. Tokens are in none of them."""

from crm_site.api.serializers import TenantModelSerializer
from social.models import SocialConnection, SocialPost


class ConnectionSerializer(TenantModelSerializer):
    class Meta:
        model = SocialConnection
        fields = (
            *("id", "club", "platform", "account_id", "account_name", "account_type"),
            *("token_expiry", "permissions", "is_active", "last_used_at"),
            *("last_error_at", "last_error", "created_at", "updated_at", "connected_by"),
        )


class PostSerializer(TenantModelSerializer):
    class Meta:
        model = SocialPost
        fields = (
            *("id", "connection", "campaign", "content", "media_urls", "link_url", "hashtags"),
            *("status", "scheduled_at", "published_at", "platform_post_id", "platform_url"),
            *("error", "likes", "comments", "shares", "reach", "impressions"),
            *("engagement_synced_at", "created_at", "updated_at", "created_by"),
        )
