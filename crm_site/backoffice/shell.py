"""What stands around every page: the club's name and the way to another."""

from typing import Any

from django.http import HttpRequest

from crm_site.access.backends import current_membership
from crm_site.access.models import User
from crm_site.access.services import tenants_of
from crm_site.tenancy.models import Tenant


def current_tenant(request: HttpRequest) -> Tenant | None:
    """The tenant this request works in; read once per request."""
    tenant_id = getattr(request, "tenant_id", None)
    if tenant_id is None:
        return None
    if not hasattr(request, "tenant"):
        request.tenant = Tenant.objects.get(pk=tenant_id)  # type: ignore[attr-defined]
    return request.tenant  # type: ignore[attr-defined]


def header(request: HttpRequest) -> str:
    tenant = current_tenant(request)
    return tenant.name if tenant else "Fairway"


def subheader(request: HttpRequest) -> str:
    """What the user is here: their role in this club."""
    user = request.user
    if current_tenant(request) is None or not isinstance(user, User):
        return "Golf club back office"
    membership = current_membership(user)
    return membership.get_role_display() if membership else "Administrator"


def club_switcher(request: HttpRequest) -> list[dict[str, Any]]:
    """The user's other clubs; each has an address of its own, so switching is following a link."""
    tenants = tenants_of(request.user)
    here = getattr(request, "tenant_id", None)
    if len(tenants) < 2:
        return []
    return [
        {
            "title": tenant.name,
            "link": f"/{tenant.pk}/admin/",
            "icon": "check" if tenant.pk == here else "golf_course",
        }
        for tenant in tenants
    ]
