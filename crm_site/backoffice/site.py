"""The admin site: one for everybody, entered under a club's own address."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import LogoutView
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.sites import UnfoldAdminSite

from crm_site.backoffice.navigation import pages
from crm_site.backoffice.search import Hit, find

MAX_TERM = 100
# What a signed-in user may open without having chosen a club.
WITHOUT_CLUB = {"logout", "i18n_javascript", "password_change", "password_change_done"}
LAST_TENANT = "last_tenant_id"


class CrmAdminSite(UnfoldAdminSite):
    """Fairway's back office, at ``/<tenant>/admin/``. ``/admin/`` itself only lets people in."""

    site_title = "Fairway"
    site_header = "Fairway"
    index_title = "Home"
    index_template = "admin/home.html"
    login_template = "admin/login.html"
    enable_nav_sidebar = True

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        inner = super().admin_view(view, cacheable)
        if getattr(view, "__name__", "") in WITHOUT_CLUB:
            return inner

        @wraps(inner)
        def in_a_club(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and request.tenant_id is None:  # type: ignore[attr-defined]
                return HttpResponseRedirect("/")
            return inner(request, *args, **kwargs)

        return in_a_club

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        tenant_id = request.tenant_id  # type: ignore[attr-defined]
        if request.session.get(LAST_TENANT) != tenant_id:
            request.session[LAST_TENANT] = tenant_id
        return super().index(request, extra_context)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Nobody works by Django app.
        return HttpResponseRedirect("../")

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return LogoutView.as_view()(request)

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Pages and rows that match ``s``. Unlike the theme's own: no cache, so no other club's."""
        started = time.monotonic()
        term = request.GET.get("s", "").strip()[:MAX_TERM]
        if not term:
            return HttpResponse()
        extended = "extended" in request.GET
        hits = _matching_pages(request, term) + (find(request, term) if extended else [])
        kind = "command" if extended else "search"
        context = {
            "page_obj": Paginator(hits, 200),
            "results": Paginator(hits, 200).page(1),
            "page_counter": 0,
            "execution_time": time.monotonic() - started,
            "command_show_history": False,
        }
        return TemplateResponse(
            request,
            f"unfold/helpers/{kind}_results.html",
            context,
            headers={"HX-Trigger": "search"},
        )


def _matching_pages(request: HttpRequest, term: str) -> list[Hit]:
    return [
        Hit(title=page.title, description=page.group or "Page", link=page.link, icon=page.icon)
        for page in pages(request)
        if term.lower() in page.title.lower()
    ]
