"""Merges, and all it takes to undo one."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from crm_site.db.auditing import audited
from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import MergeStepKind
from customers.models.profile import CustomerProfile

UNDO_DAYS = 90


class ProfileMergeQuerySet(models.QuerySet["ProfileMerge"]):
    def standing(self) -> "ProfileMergeQuerySet":
        """Merges that have not been undone."""
        return self.filter(undone_at__isnull=True)

    def involving(self, profile: CustomerProfile) -> "ProfileMergeQuerySet":
        return self.filter(Q(survivor=profile) | Q(absorbed=profile))

    def expired(self, now: datetime) -> "ProfileMergeQuerySet":
        """Merges past their time for undoing that still keep what undoing would need."""
        return self.filter(expires_at__lte=now, absorbed_before__isnull=False)


def _undo_deadline() -> datetime:
    return timezone.now() + timedelta(days=UNDO_DAYS)


class ProfileMerge(TenantModel):
    """One profile folded into another, with both as they were, so that it can be undone.

    The snapshots are whole rows by column name; they and the steps go when the time for undoing is
    over. What happened to rows beside the two profiles is in the steps.
    """

    survivor = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="+")
    absorbed = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="+")
    picks = models.JSONField(default=dict, help_text='Chosen by hand: {"city": "absorbed"}.')
    survivor_before = models.JSONField(null=True, editable=False)
    absorbed_before = models.JSONField(null=True, editable=False)
    survivor_after = models.JSONField(null=True, editable=False)
    merged_by = models.CharField(max_length=100)
    merged_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(
        default=_undo_deadline, help_text="It may be undone until then."
    )
    undone_by = models.CharField(max_length=100, null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects, all_tenants = tenant_managers(ProfileMergeQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "merge"
        constraints = [
            models.CheckConstraint(
                condition=~Q(survivor=F("absorbed")), name="merge_of_two_profiles"
            ),
            models.UniqueConstraint(
                fields=["absorbed"], condition=Q(undone_at__isnull=True), name="merge_standing_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "expires_at"], name="merge_expiry")]
        # Snapshots hold private words and addresses; the rows they are of are audited themselves.
        triggers = audited("survivor_before", "absorbed_before", "survivor_after")

    def __str__(self) -> str:
        return f"{self.absorbed_id} into {self.survivor_id}"

    def can_be_undone(self, now: datetime) -> bool:
        """Whether nothing but what happened since could stand in the way."""
        return self.undone_at is None and self.expires_at > now and self.absorbed_before is not None


class ProfileMergeStep(TenantModel):
    """What a merge did to rows of one table, in one go. Undoing walks the steps backwards.

    MOVE: the rows ``ids`` point at the survivor since. CHANGE: ``before`` and ``after`` hold the
    changed columns of each row. REMOVE: ``before`` holds whole rows. ADD: the rows ``ids`` are new.
    """

    merge = models.ForeignKey(ProfileMerge, models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=MergeStepKind)
    model = models.CharField(max_length=100, help_text="customers.Activity")
    field = models.CharField(max_length=64, null=True, blank=True, help_text="What was moved.")
    why = models.CharField(
        max_length=64, null=True, blank=True, help_text="Which clash it settled."
    )
    row_count = models.PositiveIntegerField()
    ids = ArrayField(models.UUIDField(), null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "merge step"
        ordering = ["merge", "position"]
        constraints = [
            models.UniqueConstraint(fields=["merge", "position"], name="merge_step_once"),
            one_of("kind", MergeStepKind, model="mergestep"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.row_count} {self.model}"
