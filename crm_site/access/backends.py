"""Permissions from the role that a user has in the tenant in scope."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import models

from crm_site.access.models import TenantMembership, User
from crm_site.access.roles import PERMISSIONS, Role
from crm_site.tenancy.context import current_tenant_id


class MembershipBackend(BaseBackend):
    """Answers ``has_perm`` by the membership in the tenant in scope; without one, no."""

    def get_user_permissions(self, user_obj: Any, obj: models.Model | None = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: models.Model | None = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous:
            return set()
        membership = current_membership(user_obj)
        return set(PERMISSIONS[Role(membership.role)]) if membership else set()

    def has_perm(self, user_obj: Any, perm: str, obj: models.Model | None = None) -> bool:
        return perm in self.get_group_permissions(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(
            perm.startswith(f"{app_label}.") for perm in self.get_group_permissions(user_obj)
        )


def current_membership(user: User) -> TenantMembership | None:
    """The user's membership in the tenant in scope, read once per user object and tenant."""
    tenant_id = current_tenant_id()
    if tenant_id is None:
        return None
    known: dict[str, TenantMembership | None] = user.__dict__.setdefault(
        "_memberships_by_tenant", {}
    )
    if tenant_id not in known:
        known[tenant_id] = TenantMembership.objects.filter(user=user).first()
    return known[tenant_id]
