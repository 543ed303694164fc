"""How the scores came about: what they were each week and why, and what they were learned from."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.base import one_of
from crm_site.jobs.models import Job, job_constraints, job_indexes, one_open
from crm_site.tenancy.base import TenantModel
from customers.choices import ScoreModelKind
from customers.models.profile import CustomerProfile


class CustomerScore(TenantModel):
    """One customer's scores in one week, with what each is made of.

    Only weeks in which something changed have a row; the newest one stands until now. Somebody of
    whom nothing can be said has none. Computed, so not audited.
    """

    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="scores", db_index=False
    )
    week = models.DateField(help_text="Its Monday, in the tenant's zone.")
    engagement_score = models.PositiveSmallIntegerField()
    churn_risk_score = models.PositiveSmallIntegerField(null=True, blank=True)
    predicted_ltv = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    parts = models.JSONField(
        help_text='Points and what they are for: {"engagement": {"recency": 28, "frequency": 18}, '
        '"churn": {"base": 31, "silence": 12}, "facts": {"last": "2026-11-11"}}.'
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["customer", "week"], name="score_once_a_week"),
        ]
        indexes = [
            # Serves the removal of what is past its time.
            models.Index(fields=["tenant", "week"], name="score_week"),
        ]

    def __str__(self) -> str:
        return f"{self.week}: {self.engagement_score}"


class ScoreModel(TenantModel):
    """What a tenant's scores are computed with, as learned from its own history on one day.

    The newest version of a kind is in use. Where there was too little to learn from it is not
    usable and says why; scores then follow a rule of thumb, or are not given. Not audited.
    """

    kind = models.CharField(max_length=16, choices=ScoreModelKind)
    version = models.PositiveIntegerField()
    trained_at = models.DateTimeField(default=timezone.now)
    people_count = models.PositiveIntegerField(help_text="How many people it was learned from.")
    is_usable = models.BooleanField()
    reason = models.CharField(max_length=300, blank=True, help_text="Why it is not usable.")
    parameters = models.JSONField(default=dict, help_text="Coefficients, by the kind's own names.")
    metrics = models.JSONField(
        default=dict,
        help_text='How well it did on what it had not seen: {"auc": 0.81, "brier": 0.12, …}.',
    )

    class Meta(TenantModel.Meta):
        permissions = [("train_scoremodel", "Can have the scores learn anew")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "version"], name="score_model_version_once"
            ),
            models.CheckConstraint(
                condition=Q(is_usable=True) | ~Q(reason=""), name="score_model_says_why_not"
            ),
            one_of("kind", ScoreModelKind, model="scoremodel"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, version {self.version}"


class ScoreTraining(Job):
    """Somebody asked for the models to learn anew and for everybody to be scored by them."""

    task_name = "customers.score_training"
    # Scoring reports after each chunk of people; learning is the longest step between two reports.
    lease = timedelta(minutes=10)

    class Meta(Job.Meta):
        verbose_name = "training of scores"
        verbose_name_plural = "trainings of scores"
        constraints = [*job_constraints("scoretraining"), one_open("scoretraining_one_open")]
        indexes = job_indexes("scoretraining")

    def __str__(self) -> str:
        return f"Training of {self.requested_at:%d %b %Y, %H:%M}"
