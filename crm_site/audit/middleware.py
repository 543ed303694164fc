"""Where a request came from, for the audit log."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from crm_site.tenancy.context import local_settings


def client_address(request: HttpRequest) -> str:
    """The caller's IP address. ``X-Forwarded-For`` counts only as far as our proxies wrote it."""
    hops = settings.TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    if hops and len(forwarded) >= hops and forwarded[-hops]:
        return forwarded[-hops]
    return request.META.get("REMOTE_ADDR", "")


class RequestOriginMiddleware:
    """Tells the database the address and user agent behind whatever this request changes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        agent = request.headers.get("User-Agent", "")[:500]
        with local_settings(ip_address=client_address(request), user_agent=agent):
            return self.get_response(request)
