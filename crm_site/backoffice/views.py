"""The way in."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from crm_site.access.services import tenants_of
from crm_site.backoffice.site import LAST_TENANT


@login_required
def choose_club(request: HttpRequest) -> HttpResponse:
    """To the club one last worked in, or the only one; else a page to choose on."""
    if request.tenant_id is not None:  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:index"))
    tenants = tenants_of(request.user)
    by_id = {tenant.pk: tenant for tenant in tenants}
    last = by_id.get(request.session.get(LAST_TENANT, ""))
    chosen = last or (tenants[0] if len(tenants) == 1 else None)
    if chosen is not None and "choose" not in request.GET:
        return HttpResponseRedirect(f"/{chosen.pk}/admin/")
    context = {**admin.site.each_context(request), "title": "Your clubs", "clubs": tenants}
    return render(request, "admin/choose_club.html", context)


def locked_out(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Too many wrong passwords: axes asks for this page instead of its bare text."""
    context = {**admin.site.each_context(request), "title": "Try again later"}
    return render(request, "admin/locked_out.html", context, status=429)
