"""How the API knows its caller."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crm_site.access.models import ApiKey
from crm_site.tenancy.context import current_tenant_id


class KeyUser(AnonymousUser):
    """The caller behind an API key: authenticated, but nobody who could sign in."""

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.pk = None

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True

    @property
    def is_anonymous(self) -> bool:  # type: ignore[override]
        return False

    def __str__(self) -> str:
        return f"key:{self.key.prefix}"


class ApiKeyAuthentication(BaseAuthentication):
    """Bearer keys. ``TenantMiddleware`` has already checked the key and entered its tenant."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        key = getattr(request._request, "api_key", None)
        if key is not None:
            return KeyUser(key), key
        if request.headers.get("Authorization", "").lower().startswith("bearer "):
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TenantSessionAuthentication(SessionAuthentication):
    """Staff's own session, under the tenant's address: ``/oakhill/api/v1/…``."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        return super().authenticate(request) if current_tenant_id() else None
