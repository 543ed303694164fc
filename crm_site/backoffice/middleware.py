"""A club's own clock on its screens."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from crm_site.backoffice.shell import current_tenant


class ClubTimeMiddleware:
    """Times on admin pages are read and shown in the tenant's zone; the API stays with UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_screen = request.path_info.startswith("/admin/")
        tenant = current_tenant(request) if is_screen else None
        if tenant is None:
            return self.get_response(request)
        with timezone.override(ZoneInfo(tenant.time_zone)):
            return self.get_response(request)
