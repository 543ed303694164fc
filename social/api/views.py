"""Connections and posts over HTTP, to read."""

from typing import Any

from crm_site.access.services import limit_to_grants
from crm_site.api.viewsets import TenantReadOnlyViewSet
from social.api.filters import ConnectionFilter, PostFilter
from social.api.serializers import ConnectionSerializer, PostSerializer
from social.models import SocialConnection, SocialPost


class ConnectionViewSet(TenantReadOnlyViewSet):
    """Pages and accounts of the club. Their tokens are never shown."""

    model = SocialConnection
    scope = "social"
    permission_model = "social.socialconnection"
    serializer_class = ConnectionSerializer
    filterset_class = ConnectionFilter


class PostViewSet(TenantReadOnlyViewSet):
    """Posts, and what came of them."""

    model = SocialPost
    scope = "social"
    permission_model = "social.socialpost"
    serializer_class = PostSerializer
    filterset_class = PostFilter
    ordering_fields = ("created_at", "scheduled_at")

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        seen = limit_to_grants(SocialConnection.objects.all(), self.request.user)
        return rows.filter(connection__in=seen)
