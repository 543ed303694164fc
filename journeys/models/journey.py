"""Journeys, their published versions and their steps."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone as clock

from campaigns.models import Campaign
from crm_site.db.auditing import audited
from crm_site.db.base import SoftDeleteModel, TimestampedModel, is_live, one_of
from crm_site.tenancy.base import TenantModel
from crm_site.tenancy.models import Club, validate_time_zone
from journeys.choices import JourneyStatus, JourneyStepType


class Journey(TenantModel, TimestampedModel, SoftDeleteModel):
    """Steps that lead one customer over time, from a trigger to an end."""

    club = models.ForeignKey(
        Club, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    name = models.CharField(max_length=200)
    description = models.TextField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=JourneyStatus, default=JourneyStatus.DRAFT)
    trigger_type = models.CharField(max_length=128, help_text="An event type, or MANUAL.")
    trigger_config = models.JSONField(
        null=True,
        blank=True,
        help_text='More conditions: {"conditions": {"combinator": "AND", "rules": []}}',
    )
    campaign = models.OneToOneField(
        Campaign, models.PROTECT, null=True, blank=True, related_name="journey"
    )
    allow_reentry = models.BooleanField("may enter again", default=False)
    max_enrollments = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At most so many at once.",
    )
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", validators=[validate_time_zone]
    )
    total_enrolled = models.IntegerField(default=0, editable=False)
    total_completed = models.IntegerField(default=0, editable=False)
    total_exited = models.IntegerField(default=0, editable=False)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.CharField(max_length=100, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=is_live(), name="journey_name_live"
            ),
            one_of("status", JourneyStatus, model="journey"),
        ]
        indexes = [
            models.Index(fields=["tenant", "status"], name="journey_status"),
            models.Index(fields=["tenant", "trigger_type"], name="journey_trigger"),
        ]
        triggers = audited("total_enrolled", "total_completed", "total_exited")

    def __str__(self) -> str:
        return self.name


class JourneyVersion(TenantModel):
    """A journey's steps as of one activation. Enrollments follow the version they began."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.CharField(max_length=100)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["journey", "number"], name="journey_version_once")
        ]
        triggers = audited()

    def __str__(self) -> str:
        return f"{self.journey}, version {self.number}"


class JourneyStep(TenantModel, TimestampedModel):
    """One step of a journey. Without a version it belongs to the draft that is being edited."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="steps")
    version = models.ForeignKey(
        JourneyVersion, models.CASCADE, null=True, blank=True, related_name="steps"
    )
    step_number = models.PositiveIntegerField()
    type = models.CharField(max_length=16, choices=JourneyStepType)
    name = models.CharField(max_length=200, null=True, blank=True)
    config = models.JSONField(
        default=dict,
        help_text='By type. SEND: {"channel": "EMAIL", "templateId": "welcome"}; '
        'WAIT: {"duration": "3 days"}; CONDITION: {"rules": [], "combinator": "AND"}; '
        'SPLIT: {"variants": [{"name": "A", "weight": 50, "nextStepId": null}]}; '
        'UPDATE: {"field": "tags", "value": "welcomed"}.',
    )
    next_step = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    next_step_yes = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    next_step_no = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        verbose_name = "step"
        ordering = ["journey", "step_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "version", "step_number"],
                name="step_number_once",
                nulls_distinct=False,
            ),
            one_of("type", JourneyStepType, model="step"),
        ]
        triggers = audited()

    def __str__(self) -> str:
        return f"{self.step_number}. {self.name or self.get_type_display()}"
