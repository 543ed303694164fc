"""Long work that shows how far it is and can be cancelled: the base of its rows."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.tenancy.base import TenantModel, tenant_managers


class JobStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting"
    RUNNING = "RUNNING", "Running"
    SUCCESS = "SUCCESS", "Done"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


OPEN = (JobStatus.PENDING, JobStatus.RUNNING)


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> "JobQuerySet":
        """Waiting or running."""
        return self.filter(status__in=OPEN)

    def waiting(self) -> "JobQuerySet":
        return self.filter(status=JobStatus.PENDING)

    def running(self) -> "JobQuerySet":
        return self.filter(status=JobStatus.RUNNING)

    def abandoned(self, now: datetime) -> "JobQuerySet":
        """Running by their status, but nobody has said so for longer than the lease."""
        return self.running().filter(leased_until__lt=now)


def one_open(name: str) -> models.UniqueConstraint:
    """At most one waiting or running per tenant: asking for another is refused."""
    return models.UniqueConstraint(fields=["tenant"], condition=Q(status__in=OPEN), name=name)


def one_running(name: str) -> models.UniqueConstraint:
    """At most one running per tenant: others wait for their turn."""
    return models.UniqueConstraint(
        fields=["tenant"], condition=Q(status=JobStatus.RUNNING), name=name
    )


class Job(TenantModel):
    """One piece of long work: asked for, run by a worker in small steps, and how it ended.

    A subclass adds what the work is about, names its task, and may limit itself with ``one_open``
    or ``one_running``. ``lease`` is longer than its longest step between two reports. Its Meta
    inherits ``Job.Meta`` and repeats ``constraints`` and ``indexes`` with ``job_constraints`` and
    ``job_indexes``.
    """

    task_name: ClassVar[str]
    lease: ClassVar[timedelta] = timedelta(minutes=2)
    max_attempts: ClassVar[int] = 3

    status = models.CharField(
        max_length=16, choices=JobStatus, default=JobStatus.PENDING, editable=False
    )
    progress = models.FloatField(
        default=0,
        editable=False,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="From 0 to 1.",
    )
    stage = models.CharField(
        max_length=200, default="", blank=True, editable=False, help_text="What it is doing."
    )
    error = models.TextField(null=True, blank=True, editable=False)
    requested_by = models.CharField(max_length=100, editable=False)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempt_count = models.PositiveSmallIntegerField(default=0, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects, all_tenants = tenant_managers(JobQuerySet)

    class Meta(TenantModel.Meta):
        abstract = True

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_being_cancelled(self) -> bool:
        return self.is_open and self.cancel_requested_at is not None


def job_constraints(model: str) -> list[models.BaseConstraint]:
    """What holds for every kind of job; ``model`` begins the names."""
    return [
        models.CheckConstraint(
            condition=Q(status__in=JobStatus.values), name=f"{model}_status_known"
        ),
        models.CheckConstraint(
            condition=Q(progress__gte=0, progress__lte=1), name=f"{model}_progress_range"
        ),
    ]


def job_indexes(model: str) -> list[models.Index]:
    """For the list, newest first, and for the sweep over what is open."""
    return [
        models.Index(fields=["tenant", "-requested_at", "-id"], name=f"{model}_newest"),
        models.Index(
            fields=["tenant", "requested_at"],
            condition=Q(status__in=OPEN),
            name=f"{model}_open",
        ),
    ]
