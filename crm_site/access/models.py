"""People and programs that may come in."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from crm_site.access.roles import Role
from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel, one_of
from crm_site.db.fields import EncryptedTextField
from crm_site.tenancy.base import TenantModel


class EmailUserManager(UserManager["User"]):
    def _create_user(self, email: str, password: str | None, **extra: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":  # type: ignore[override]
        return self._create_user(email, password, is_staff=True, **extra)

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":  # type: ignore[override]
        return self._create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractUser):
    """Somebody who signs in, with an e-mail address. What they may do is in their memberships."""

    username = None
    email = models.EmailField("e-mail address", unique=True)
    is_staff = models.BooleanField("may sign in", default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = EmailUserManager()

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"

    def __str__(self) -> str:
        return self.get_full_name() or self.email


class TenantMembership(TenantModel, TimestampedModel):
    """One user's role in one tenant. Nobody sees a tenant without one, save superusers."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    is_limited_to_clubs = models.BooleanField(
        "only certain clubs",
        default=False,
        help_text="Sees what belongs to the whole tenant, and to the clubs granted below.",
    )

    class Meta(TenantModel.Meta):
        verbose_name = "staff member"
        ordering = ["user__email"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
            one_of("role", Role, model="membership"),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class ApiKey(TenantModel, TimestampedModel):
    """A program's way in. Only a hash of the secret is kept; the prefix names the key."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of the secret."
    )
    scopes = ArrayField(models.CharField(max_length=32), default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=100, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "API key"
        ordering = ["name", "-created_at"]
        indexes = [models.Index(fields=["tenant", "name"], name="apikey_name")]
        triggers = audited("secret_hash", "last_used_at")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def is_usable(self) -> bool:
        now = timezone.now()
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class WebhookEndpoint(TenantModel, TimestampedModel):
    """An address that one source signs its events for, by Standard Webhooks.

    While a secret rotates, the previous one is still accepted until ``previous_secret_until``.
    """

    source = models.CharField(max_length=32, help_text="scl, teetime or messaging.")
    secret = EncryptedTextField(editable=False)
    previous_secret = EncryptedTextField(null=True, blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=100, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "webhook"
        ordering = ["source", "-created_at"]
        indexes = [models.Index(fields=["tenant", "source"], name="webhook_source")]
        triggers = audited("secret", "previous_secret", "last_used_at")

    def __str__(self) -> str:
        return f"{self.source} ({self.pk})"
