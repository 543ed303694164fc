"""Tenants and their clubs."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from crm_site.db.auditing import audited
from crm_site.db.base import TimestampedModel
from crm_site.tenancy.base import TenantModel

# First parts of an address that are ours and so cannot name a tenant.
RESERVED_IDS = {
    *("admin", "api", "webhooks", "static", "media", "docs", "schema", "login", "logout"),
    *("accounts", "healthz", "readyz", "metrics", "favicon.ico", "robots.txt"),
}


def validate_tenant_id(value: str) -> None:
    if value in RESERVED_IDS:
        raise ValidationError(f"“{value}” is part of our own addresses; choose another id.")


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(f"“{value}” is not an IANA time zone such as Africa/Johannesburg.")


class Tenant(TimestampedModel):
    """A club or group of clubs that shares nothing with the others in the installation."""

    id = models.CharField(
        primary_key=True,
        max_length=64,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9-]*$", "Small letters, digits and hyphens only, as in oak-hill."
            ),
            validate_tenant_id,
        ],
        help_text="The id other services send, and the first part of the address.",
    )
    name = models.CharField(max_length=200)
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Days, schedules and quiet hours are this zone's.",
    )
    currency = models.CharField(
        max_length=3,
        default="ZAR",
        validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters (ISO 4217), as in ZAR.")],
    )
    country = models.CharField(
        max_length=2,
        default="ZA",
        validators=[RegexValidator(r"^[A-Z]{2}$", "Two capital letters (ISO 3166-1), as in ZA.")],
        help_text="Read phone numbers without a country code as this country's.",
    )
    is_active = models.BooleanField(default=True)
    is_sending_enabled = models.BooleanField(
        "sending switched on",
        default=True,
        help_text="Off: no campaign of this club sends anything until it is on again.",
    )
    keeps_segments_current = models.BooleanField(
        "segments follow every change",
        default=True,
        help_text="Who changes joins or leaves segments within seconds. Off: at the next refresh.",
    )
    quiet_hours_start = models.TimeField(
        null=True, blank=True, help_text="No messages from this hour, local time."
    )
    quiet_hours_end = models.TimeField(null=True, blank=True, help_text="… until this hour.")
    frequency_cap_count = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At most so many messages per person and channel …",
    )
    frequency_cap_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1)], help_text="… in so many days."
    )
    unengaged_message_count = models.PositiveSmallIntegerField(
        "leave out who opens nothing",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="By e-mail, who was sent so many …; blank: nobody.",
    )
    unengaged_days = models.PositiveSmallIntegerField(
        "within",
        default=90,
        validators=[MinValueValidator(1)],
        help_text="… in so many days and opened none.",
    )
    approval_above = models.PositiveIntegerField(
        "approval above",
        null=True,
        blank=True,
        help_text="A second person approves a campaign that more people than this would hear; 0: "
        "every campaign; blank: none.",
    )
    sync_payload_retention_days = models.PositiveIntegerField(default=90)
    interaction_detail_retention_days = models.PositiveIntegerField(default=90)
    membership_change_retention_days = models.PositiveIntegerField(default=400)

    class Meta:
        verbose_name = verbose_name_plural = "club settings"
        ordering = ["name", "id"]
        triggers = audited()

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if (self.quiet_hours_start is None) != (self.quiet_hours_end is None):
            raise ValidationError(
                {"quiet_hours_end": "Quiet hours need both a start and an end, or neither."}
            )


class Club(TenantModel, TimestampedModel):
    """One course or clubhouse of a tenant. Gives the data model's ``clubId`` a name."""

    external_id = models.CharField(
        max_length=64, null=True, blank=True, help_text="The id TeeTime sends as clubId."
    )
    name = models.CharField(max_length=200)
    latitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )

    class Meta(TenantModel.Meta):
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="club_name_once"),
            models.UniqueConstraint(fields=["tenant", "external_id"], name="club_external_id_once"),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return self.name


class Installation(models.Model):
    """The one row about everything here: whether any club may send at all."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_sending_enabled = models.BooleanField(
        "sending switched on",
        default=True,
        help_text="Off: no club sends anything until it is on again.",
    )
    reason = models.CharField(
        max_length=200, blank=True, default="", help_text="Why it is off: every club reads it."
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "installation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_once")]

    def __str__(self) -> str:
        state = "on" if self.is_sending_enabled else "off"
        return f"Sending is {state} for every club" + (f": {self.reason}" if self.reason else "")

    @classmethod
    def current(cls) -> "Installation":
        return cls.objects.filter(pk=1).first() or cls()
