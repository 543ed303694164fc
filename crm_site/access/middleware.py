"""Who is asking, and for which tenant: the only door through which a request enters a scope."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import get_script_prefix, set_script_prefix

from crm_site.access import services
from crm_site.access.models import ApiKey
from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import RESERVED_IDS

Handler = Callable[[HttpRequest], HttpResponse]


class TenantMiddleware:
    """Enters the tenant of an API key, or of the first part of the address.

    ``/oakhill/admin/`` is the admin of the tenant ``oakhill``: its name becomes the script prefix,
    so every link made while answering keeps it and two tabs may show two clubs. Everything behind
    it, templates included, runs in one transaction; an error takes it back.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.api_key = None  # type: ignore[attr-defined]
        request.tenant_id = None  # type: ignore[attr-defined]
        request.must_roll_back = False  # type: ignore[attr-defined]
        first, _, rest = request.path_info.lstrip("/").partition("/")
        if first == "api":
            return self._answer_key(request)
        if first and first not in RESERVED_IDS and not first.startswith("."):
            return self._answer_tenant(request, first, rest)
        return self.get_response(request)

    def _answer_key(self, request: HttpRequest) -> HttpResponse:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        key = services.resolve_api_key(token.strip()) if kind.lower() == "bearer" else None
        if key is None:
            return self.get_response(request)  # The view refuses, or is open to anyone.
        request.api_key = key  # type: ignore[attr-defined]
        return self._in_scope(request, str(key.tenant_id), acting_as(Actor.key(key.prefix)), key)

    def _answer_tenant(self, request: HttpRequest, tenant_id: str, rest: str) -> HttpResponse:
        if not request.user.is_authenticated:
            if rest.startswith("api/"):
                return self.get_response(request)  # 404: nothing tells which tenants exist.
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        if not services.may_enter(request.user, tenant_id):
            return self.get_response(request)  # No such address: 404, in the usual clothes.
        request.path_info = f"/{rest}"
        actor = Actor.user(request.user.pk)
        before = get_script_prefix()
        set_script_prefix(f"/{tenant_id}/")
        try:
            return self._in_scope(request, tenant_id, acting_as(actor))
        finally:
            set_script_prefix(before)

    def _in_scope(
        self,
        request: HttpRequest,
        tenant_id: str,
        acting: AbstractContextManager[None],
        key: ApiKey | None = None,
    ) -> HttpResponse:
        request.tenant_id = tenant_id  # type: ignore[attr-defined]
        with tenant_scope(tenant_id), acting, transaction.atomic():
            if key is not None:
                services.note_key_used(key)
            response = self.get_response(request)
            if response.status_code >= 500 or request.must_roll_back:  # type: ignore[attr-defined]
                transaction.set_rollback(True)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if not isinstance(exception, Http404):
            request.must_roll_back = True  # type: ignore[attr-defined]
