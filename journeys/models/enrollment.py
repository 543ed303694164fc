"""Customers under way in journeys."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel
from customers.models import CustomerProfile
from journeys.choices import EnrollmentStepStatus, JourneyEnrollmentStatus
from journeys.models.journey import Journey, JourneyStep, JourneyVersion


class JourneyEnrollment(TenantModel):
    """One customer's way through a journey. ``entryNumber`` counts their entries, from 0."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="enrollments", db_index=False)
    version = models.ForeignKey(
        JourneyVersion, models.PROTECT, null=True, blank=True, related_name="enrollments"
    )
    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="journey_enrollments"
    )
    entry_number = models.PositiveIntegerField(default=0)
    status = models.CharField(
        max_length=16, choices=JourneyEnrollmentStatus, default=JourneyEnrollmentStatus.ACTIVE
    )
    current_step = models.ForeignKey(
        JourneyStep, models.PROTECT, null=True, blank=True, related_name="+"
    )
    current_step_number = models.IntegerField(default=0)
    waiting_until = models.DateTimeField(null=True, blank=True)
    enrolled_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    exited_at = models.DateTimeField(null=True, blank=True)
    exit_reason = models.CharField(max_length=200, null=True, blank=True)
    trigger_data = models.JSONField(
        null=True, blank=True, help_text="The event that brought them in."
    )

    class Meta(TenantModel.Meta):
        verbose_name = "enrollment"
        constraints = [
            models.UniqueConstraint(
                fields=["journey", "customer", "entry_number"], name="enrollment_once"
            ),
            models.UniqueConstraint(
                fields=["journey", "customer"],
                condition=Q(status="ACTIVE"),
                name="enrollment_active_once",
            ),
            one_of("status", JourneyEnrollmentStatus, model="enrollment"),
        ]
        indexes = [
            models.Index(fields=["tenant", "journey", "status"], name="enrollment_status"),
            models.Index(fields=["waiting_until"], name="enrollment_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.journey_id}"


class JourneyEnrollmentStep(TenantModel):
    """One visit of an enrollment to a step; ``visitNumber`` counts visits of a loop, from 0."""

    enrollment = models.ForeignKey(JourneyEnrollment, models.CASCADE, related_name="steps")
    step = models.ForeignKey(JourneyStep, models.CASCADE, related_name="enrollment_steps")
    visit_number = models.PositiveIntegerField(default=0)
    status = models.CharField(
        max_length=16, choices=EnrollmentStepStatus, default=EnrollmentStepStatus.PENDING
    )
    entered_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "visited step"
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment", "step", "visit_number"], name="visit_once"
            ),
            one_of("status", EnrollmentStepStatus, model="visit"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id} at {self.step_id}"
