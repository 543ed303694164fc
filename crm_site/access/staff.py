"""Who works for a tenant, and as what."""

import secrets
from collections.abc import Iterable

from django.db import transaction

from crm_site.access.models import TenantMembership, User
from crm_site.access.roles import Role
from crm_site.access.services import AccessError, grant_membership, set_club_grants
from crm_site.audit.actor import Actor
from crm_site.tenancy.models import Club


@transaction.atomic
def add_staff(
    *,
    email: str,
    first_name: str,
    last_name: str,
    role: Role,
    clubs: Iterable[Club],
    actor: Actor,
) -> tuple[TenantMembership, str | None]:
    """Add somebody to the staff of the tenant in scope, limited to ``clubs`` if any are given.

    Returns the membership, and a first password for somebody new to the installation: it is kept
    nowhere, so it must be shown now. Raises AccessError if they are on the staff already.
    """
    email = email.strip().lower()
    user = User.objects.filter(email=email).first()
    if user is not None and TenantMembership.objects.filter(user=user).exists():
        raise AccessError(f"{email} is on the staff already.", path="email", code="exists")
    password = None
    if user is None:
        password = secrets.token_urlsafe(12)
        user = User.objects.create_user(email, password, first_name=first_name, last_name=last_name)
    membership = grant_membership(user=user, role=role, actor=actor)
    limit_to_clubs(membership=membership, clubs=clubs, actor=actor)
    return membership, password


@transaction.atomic
def change_staff(
    *, membership: TenantMembership, role: Role, clubs: Iterable[Club], actor: Actor
) -> None:
    """Give a member of staff another role, or other clubs. Raises AccessError for a last owner."""
    # Read anew: a form may have put the new role on the object already.
    membership = TenantMembership.objects.select_related("user").get(pk=membership.pk)
    if membership.role == Role.OWNER and role != Role.OWNER:
        _refuse_without_owner(membership)
    membership.role = role
    membership.save(update_fields=["role", "updated_at"])
    limit_to_clubs(membership=membership, clubs=clubs, actor=actor)


@transaction.atomic
def remove_staff(*, membership: TenantMembership, actor: Actor) -> None:
    """Take somebody off the staff; they keep their sign-in. Raises AccessError for a last owner."""
    if membership.role == Role.OWNER:
        _refuse_without_owner(membership)
    set_club_grants(user=membership.user, clubs=[], actor=actor)
    membership.delete()


def limit_to_clubs(*, membership: TenantMembership, clubs: Iterable[Club], actor: Actor) -> None:
    """Limit to these clubs; none means all."""
    chosen = list(clubs)
    set_club_grants(user=membership.user, clubs=chosen, actor=actor)
    membership.is_limited_to_clubs = bool(chosen)
    membership.save(update_fields=["is_limited_to_clubs", "updated_at"])


def _refuse_without_owner(leaving: TenantMembership) -> None:
    # Locked, so that two owners cannot demote each other at the same moment.
    owners = TenantMembership.objects.select_for_update().filter(role=Role.OWNER)
    if not owners.exclude(pk=leaving.pk).exists():
        raise AccessError(
            "A club needs at least one owner: make somebody else an owner first.",
            path="role",
            code="last_owner",
        )
