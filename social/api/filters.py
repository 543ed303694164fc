"""What lists of social rows may be filtered by."""

from crm_site.api.filters import RANGE, TenantFilterSet
from social.models import SocialConnection, SocialPost


class ConnectionFilter(TenantFilterSet):
    class Meta:
        model = SocialConnection
        fields = {
            "platform": ["exact", "in"],
            "account_id": ["exact"],
            "is_active": ["exact"],
            "club": ["exact"],
        }


class PostFilter(TenantFilterSet):
    class Meta:
        model = SocialPost
        fields = {
            "connection": ["exact"],
            "campaign": ["exact"],
            "status": ["exact", "in"],
            "scheduled_at": [*RANGE, "isnull"],
            "published_at": [*RANGE, "isnull"],
            "created_at": RANGE,
        }
