"""Letting people and programs in: keys, endpoints, memberships, clubs."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from crm_site.access.backends import current_membership
from crm_site.access.models import ApiKey, TenantMembership, User, WebhookEndpoint
from crm_site.access.roles import Role
from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.tenancy.context import current_tenant_id, local_settings, tenant_scope
from crm_site.tenancy.models import Club, Tenant

SCOPES = frozenset(
    {f"{noun}:{verb}" for noun in ("customers", "segments", "campaigns", "journeys", "social")
     for verb in ("read", "write")}
    | {"events:write", "audit:read"}
)  # fmt: skip
SOURCES = ("scl", "teetime", "messaging")
LAST_USED_RESOLUTION = timedelta(minutes=1)
SECRET_OVERLAP = timedelta(hours=24)
SECRET_PREFIX = "whsec_"  # noqa: S105 - says what follows
SIGNATURE_TOLERANCE = timedelta(minutes=5)


class AccessError(DomainError):
    """A key, endpoint or membership was asked for that cannot be."""


def hash_secret(secret: str) -> str:
    # The secret has 256 random bits, so a plain digest is as good as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_api_key(
    *, name: str, scopes: Iterable[str], actor: Actor, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key for the tenant in scope. Returns it and the token, which is never shown again.

    The token is ``fw_<prefix>_<secret>``. Raises AccessError for an unknown scope and for a name
    that is blank or too long.
    """
    longest = ApiKey._meta.get_field("name").max_length or 0
    if not (name.strip() and len(name) <= longest):
        raise AccessError(f"1 to {longest} characters.", path="name", code="invalid")
    scopes = sorted(set(scopes))
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise AccessError(
            f"Unknown scope {unknown[0]!r}." if unknown else "Choose at least one scope.",
            path="scopes",
            code="unknown_scope",
        )
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        secret_hash=hash_secret(secret),
        scopes=scopes,
        expires_at=expires_at,
        created_by=actor.id,
    )
    return key, f"fw_{prefix}_{secret}"


def resolve_api_key(token: str) -> ApiKey | None:
    """The usable key that ``token`` belongs to, in any tenant; None for anything else.

    Needs no tenant in scope: the key's row is visible to whoever presents its prefix.
    """
    kind, _, rest = token.partition("_")
    prefix, _, secret = rest.partition("_")
    if kind != "fw" or not prefix or not secret:
        return None
    with local_settings(credential=prefix), transaction.atomic():
        key = ApiKey.all_tenants.select_related("tenant").filter(prefix=prefix).first()
    if key is None or not hmac.compare_digest(key.secret_hash, hash_secret(secret)):
        return None
    return key if key.is_usable() and key.tenant.is_active else None


def note_key_used(key: ApiKey) -> None:
    """Keep the moment of last use, to the minute. Runs in the key's tenant scope."""
    now = timezone.now()
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_RESOLUTION)
    if key.last_used_at is None or key.last_used_at < now - LAST_USED_RESOLUTION:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def revoke_api_key(*, key_id: UUID, actor: Actor) -> None:
    """Stop a key for good. Harmless on one already stopped."""
    ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=timezone.now())


def create_webhook_endpoint(*, source: str, actor: Actor) -> tuple[WebhookEndpoint, str]:
    """Open an address for one source. Returns it and the signing secret (``whsec_…``)."""
    if source not in SOURCES:
        raise AccessError(
            f"A source is one of {', '.join(SOURCES)}.", path="source", code="unknown_source"
        )
    secret = _new_webhook_secret()
    endpoint = WebhookEndpoint.objects.create(source=source, secret=secret, created_by=actor.id)
    return endpoint, secret


def rotate_webhook_secret(*, endpoint_id: UUID, actor: Actor) -> str:
    """Give an endpoint a new secret; the old one is accepted for another day."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_id)
        endpoint.previous_secret = endpoint.secret
        endpoint.previous_secret_until = timezone.now() + SECRET_OVERLAP
        endpoint.secret = _new_webhook_secret()
        endpoint.save()
    return endpoint.secret


def resolve_webhook_endpoint(endpoint_id: UUID) -> WebhookEndpoint | None:
    """The active endpoint of that id, in any tenant. Says nothing yet about the signature."""
    with local_settings(credential=str(endpoint_id)), transaction.atomic():
        endpoint = (
            WebhookEndpoint.all_tenants.select_related("tenant").filter(pk=endpoint_id).first()
        )
    return endpoint if endpoint and endpoint.is_active and endpoint.tenant.is_active else None


def has_valid_signature(endpoint: WebhookEndpoint, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the raw ``body`` was signed with a current secret within the last 5 minutes.

    By https://www.standardwebhooks.com: HMAC-SHA256 over ``id.timestamp.body``, over the bytes as
    they came, so that a body nobody can read is told from one that nobody signed. Any one of
    several signatures is enough; others beside it may be of a kind we do not know.
    """
    usable = [endpoint.secret]
    until = endpoint.previous_secret_until
    if endpoint.previous_secret and until and until > timezone.now():
        usable.append(endpoint.previous_secret)
    sent = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    if not message_id or not _is_recent(timestamp):
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = sent.get("webhook-signature", "").encode().split()
    # Each secret signs once, however many signatures a sender lists.
    expected = [_signature(secret, signed) for secret in usable]
    return any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in given)


def _is_recent(timestamp: str) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(timezone.now().timestamp() - int(timestamp)) <= SIGNATURE_TOLERANCE.total_seconds()


def _signature(secret: str, signed: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))


def _new_webhook_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def memberships_of(user: User) -> list[TenantMembership]:
    """The user's memberships in every active tenant, by name. Needs no tenant in scope."""
    with local_settings(user_id=str(user.pk)), transaction.atomic():
        return list(
            TenantMembership.all_tenants.filter(user=user, tenant__is_active=True)
            .select_related("tenant")
            .order_by("tenant__name")
        )


def tenants_of(user: User | AnonymousUser) -> list[Tenant]:
    """The tenants a user may work in; every active one for a superuser."""
    if not isinstance(user, User) or not user.is_active:
        return []
    if user.is_superuser:
        return list(Tenant.objects.filter(is_active=True))
    return [membership.tenant for membership in memberships_of(user)]


def may_enter(user: User, tenant_id: str) -> bool:
    """Whether the user may work in that tenant."""
    if not Tenant.objects.filter(pk=tenant_id, is_active=True).exists():
        return False
    if user.is_superuser:
        return True
    with tenant_scope(tenant_id), transaction.atomic():
        return current_membership(user) is not None


def grant_membership(*, user: User, role: Role, actor: Actor) -> TenantMembership:
    """Give the user a role in the tenant in scope, or change the one they have."""
    membership, _ = TenantMembership.objects.update_or_create(user=user, defaults={"role": role})
    return membership


def set_club_grants(*, user: User, clubs: Iterable[Club], actor: Actor) -> None:
    """Limit a user to certain clubs of the tenant in scope, as guardian grants on those clubs."""
    wanted = {club.pk for club in clubs}
    for club in Club.objects.all():
        change = assign_perm if club.pk in wanted else remove_perm
        change("tenancy.view_club", user, club)


def visible_club_ids(user: User) -> frozenset[UUID] | None:
    """The clubs whose segments, campaigns and journeys the user sees; None means all."""
    membership = current_membership(user)
    if membership is None or not membership.is_limited_to_clubs:
        return None
    # A role's own permission to see clubs does not count here: only grants do.
    granted: QuerySet[Club] = get_objects_for_user(
        user,
        "tenancy.view_club",
        Club.objects.all(),
        accept_global_perms=False,
        with_superuser=False,
    )
    return frozenset(granted.values_list("pk", flat=True))


def limit_to_grants(queryset: QuerySet[Any], user: User | AnonymousUser) -> QuerySet[Any]:
    """Of rows that may belong to a club, those that the user sees.

    Everything, unless their membership is limited to clubs: then what belongs to the whole tenant,
    to a granted club, or is granted singly. Rows of models without a club come back as they are.
    """
    model = queryset.model
    if not isinstance(user, User) or not any(f.name == "club" for f in model._meta.fields):
        return queryset
    clubs = visible_club_ids(user)
    if clubs is None:
        return queryset
    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    granted = get_objects_for_user(
        user, permission, queryset, accept_global_perms=False, with_superuser=False
    )
    return queryset.filter(
        Q(club__isnull=True) | Q(club__in=clubs) | Q(pk__in=granted.values("pk"))
    )


def tenant_in_scope() -> Tenant:
    """The tenant in scope as a row: its zone, currency, caps."""
    return Tenant.objects.get(pk=current_tenant_id())
