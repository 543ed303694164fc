"""Which customers."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.auditing import audited
from crm_site.db.base import SoftDeleteModel, TimestampedModel, is_live, one_of
from crm_site.jobs.models import Job, job_constraints, job_indexes, one_running
from crm_site.tenancy.base import TenantModel, tenant_managers
from crm_site.tenancy.context import current_tenant_id
from crm_site.tenancy.models import Club, Tenant
from customers.models import CustomerProfile
from segments.choices import (
    Combinator,
    MembershipMove,
    RefreshStatus,
    SegmentRefreshFrequency,
    SegmentType,
)

# Members are looked for anew at each refresh, and by nobody's hand.
FILLED_BY_ITSELF = (SegmentType.DYNAMIC, SegmentType.SMART)


class CustomerSegmentQuerySet(models.QuerySet["CustomerSegment"]):
    def live(self) -> "CustomerSegmentQuerySet":
        return self.filter(deleted_at__isnull=True)

    def due(self, now: datetime) -> "CustomerSegmentQuerySet":
        """Segments that fill themselves and are due; one never scheduled is due at once.

        A broken one waits until its rules are mended.
        """
        scheduled = (
            self.live()
            .filter(is_active=True, type__in=FILLED_BY_ITSELF, broken_reason__isnull=True)
            .exclude(refresh_frequency=SegmentRefreshFrequency.MANUAL)
        )
        return scheduled.filter(Q(next_refresh_at__isnull=True) | Q(next_refresh_at__lte=now))

    def usable(self) -> "CustomerSegmentQuerySet":
        """Segments that a campaign may be sent to."""
        return self.live().filter(is_active=True)


class CustomerSegment(TenantModel, TimestampedModel, SoftDeleteModel):
    """A named set of customers, and how it is found.

    ``memberCount`` and ``lastRefreshedAt`` move only with a finished refresh. Consent is no part
    of a segment: who may be written to is asked at the moment of sending.
    """

    club = models.ForeignKey(
        Club, models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="Only this club's marketers see it; blank: everybody's.",
    )  # fmt: skip
    name = models.CharField(max_length=200)
    description = models.TextField(null=True, blank=True)
    type = models.CharField(max_length=16, choices=SegmentType, default=SegmentType.DYNAMIC)
    criteria = models.JSONField(
        null=True,
        blank=True,
        help_text='The rules: [{"field": "city", "operator": "equals", "value": "Durban"}]; of a '
        'segment by model what is asked of it: {"model": "LAPSE", "size": 500}.',
    )
    combinator = models.CharField(max_length=8, choices=Combinator, default=Combinator.AND)
    refresh_frequency = models.CharField(
        "refresh",
        max_length=16,
        choices=SegmentRefreshFrequency,
        default=SegmentRefreshFrequency.DAILY,
    )
    last_refreshed_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_refresh_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the next scheduled refresh is due."
    )
    member_count = models.IntegerField("members", default=0, editable=False)
    is_active = models.BooleanField("in use", default=True)
    is_system = models.BooleanField(
        default=False, editable=False, help_text="Comes with Fairway: not renamed, not deleted."
    )
    is_stale = models.BooleanField(
        default=True, editable=False,
        help_text="New or changed rules: who is in it is not known before the next refresh.",
    )  # fmt: skip
    broken_reason = models.TextField(
        null=True, blank=True, editable=False, help_text="Why its rules can no longer be read."
    )
    messaging_segment_id = models.CharField(
        "id at Messaging", max_length=64, null=True, blank=True,
        help_text="Messaging's segment of this id is kept in step with the members.",
    )  # fmt: skip
    last_synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_sync_due = models.BooleanField(
        default=False, editable=False, help_text="Members moved that Messaging has not heard of."
    )
    sync_error = models.TextField(
        null=True, blank=True, editable=False, help_text="Why Messaging could not be told."
    )
    created_by = models.CharField(max_length=100, null=True, blank=True, editable=False)

    objects, all_tenants = tenant_managers(CustomerSegmentQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "segment"
        permissions = [("refresh_customersegment", "Can refresh segments")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=is_live(), name="segment_name_live"
            ),
            one_of("type", SegmentType, model="segment"),
            one_of("combinator", Combinator, model="segment"),
            one_of("refresh_frequency", SegmentRefreshFrequency, model="segment"),
        ]
        indexes = [
            models.Index(fields=["tenant", "type", "is_active"], name="segment_type"),
            models.Index(fields=["tenant", "club"], name="segment_club"),
            models.Index(fields=["tenant", "next_refresh_at"], name="segment_due"),
        ]
        triggers = audited(
            *("member_count", "is_stale"),
            *("last_refreshed_at", "next_refresh_at", "last_synced_at"),
            *("is_sync_due", "sync_error"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_by_rules(self) -> bool:
        return self.type == SegmentType.DYNAMIC

    @property
    def is_by_model(self) -> bool:
        return self.type == SegmentType.SMART

    @property
    def is_by_hand(self) -> bool:
        """Members are added and removed one by one, or came from a file."""
        return self.type in (SegmentType.STATIC, SegmentType.IMPORT)

    @property
    def rules(self) -> dict[str, Any]:
        """The outer group as the rule language has it; empty where there are no rules."""
        criteria = self.criteria if self.is_by_rules else None
        return {"combinator": self.combinator, "rules": criteria or []}


class CustomerSegmentMembership(TenantModel):
    """One customer in one segment, as of its last refresh."""

    segment = models.ForeignKey(
        CustomerSegment, models.CASCADE, related_name="memberships", db_index=False
    )
    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="segment_memberships"
    )
    added_by = models.CharField(max_length=100, null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now)
    matched_at = models.DateTimeField(null=True, blank=True)
    match_score = models.FloatField(
        null=True, blank=True, help_text="How likely a model finds it, from 0 to 1."
    )
    match_reasons = models.JSONField(
        null=True, blank=True,
        help_text='What spoke most for it: [{"feature": "silence", "value": 45, "effect": 0.8}].',
    )  # fmt: skip

    class Meta(TenantModel.Meta):
        verbose_name = "segment member"
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], name="membership_of_segment_once"
            )
        ]
        indexes = [models.Index(fields=["tenant", "segment"], name="membership_segment")]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class MessagingMember(TenantModel):
    """Somebody whom Messaging was told to be in its copy of a segment.

    An id and no link: who was erased stays here until Messaging has been told, too. Where
    ``remote_id`` is not what the segment leads to (any more), Messaging is yet to forget them.
    """

    segment = models.ForeignKey(CustomerSegment, models.CASCADE, related_name="+", db_index=False)
    customer_id = models.UUIDField()
    remote_id = models.CharField(max_length=64, help_text="Messaging's id of its copy.")

    class Meta(TenantModel.Meta):
        verbose_name = "member known to Messaging"
        verbose_name_plural = "members known to Messaging"
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "remote_id", "customer_id"], name="messaging_member_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class SegmentRefreshQuerySet(models.QuerySet["SegmentRefresh"]):
    def waiting(self) -> "SegmentRefreshQuerySet":
        return self.filter(status=RefreshStatus.PENDING)

    def running(self) -> "SegmentRefreshQuerySet":
        return self.filter(status=RefreshStatus.RUNNING)

    def unfinished(self) -> "SegmentRefreshQuerySet":
        return self.filter(status__in=[RefreshStatus.PENDING, RefreshStatus.RUNNING])

    def held(self) -> "SegmentRefreshQuerySet":
        return self.filter(status=RefreshStatus.HELD)


class SegmentRefresh(TenantModel):
    """One refresh of one segment: asked for, run, and what it changed.

    A segment has at most one waiting, one running and one that waits for a person: who asks while
    one waits is given that one.
    """

    segment = models.ForeignKey(CustomerSegment, models.CASCADE, related_name="refreshes")
    status = models.CharField(max_length=16, choices=RefreshStatus, default=RefreshStatus.PENDING)
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    entered_count = models.IntegerField("joined", default=0)
    left_count = models.IntegerField("left", default=0)
    member_count = models.IntegerField("members", null=True, blank=True)
    error = models.TextField(null=True, blank=True)
    requested_by = models.CharField(max_length=100)
    approved_by = models.CharField(
        max_length=100, null=True, blank=True, help_text="Who let a large change through."
    )
    quality = models.JSONField(
        null=True, blank=True, help_text="Of a model: how well it told on people it had not seen."
    )

    objects, all_tenants = tenant_managers(SegmentRefreshQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "refresh"
        verbose_name_plural = "refreshes"
        constraints = [
            one_of("status", RefreshStatus, model="refresh"),
            models.UniqueConstraint(
                fields=["segment", "status"],
                condition=Q(status__in=["PENDING", "RUNNING", "HELD"]),
                name="refresh_once_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "segment", "-requested_at"], name="refresh_history"),
            models.Index(
                fields=["tenant", "requested_at"],
                condition=Q(status__in=["PENDING", "RUNNING"]),
                name="refresh_open",
            ),
            models.Index(
                fields=["tenant", "segment"], condition=Q(status="HELD"), name="refresh_held"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment} at {self.requested_at:%Y-%m-%d %H:%M}"


class SegmentTrial(Job):
    """A model tried on people it has not seen, before a segment is saved that asks it."""

    task_name: ClassVar[str] = "segments.run_trial"

    question = models.JSONField(editable=False, help_text='{"model": "LAPSE", "size": 500}.')
    quality = models.JSONField(null=True, editable=False)

    class Meta(Job.Meta):
        verbose_name = "trial of a model"
        verbose_name_plural = "trials of models"
        constraints = [*job_constraints("trial"), one_running("trial_one_running")]
        indexes = [*job_indexes("trial")]

    def __str__(self) -> str:
        return f"{self.question.get('model')} at {self.requested_at:%Y-%m-%d %H:%M}"


class SegmentRecheck(TenantModel):
    """A customer who changed, and whose segments have yet to be looked at again.

    ``reads`` says what moved, as rules name what they read (segments/rules/reads.py); where
    ``segment`` is set, only that one is left to ask. Gone within seconds, so keys are not checked.
    """

    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        default=current_tenant_id, editable=False,
    )  # fmt: skip
    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    segment = models.ForeignKey(
        CustomerSegment, models.CASCADE, null=True, related_name="+",
        db_index=False, db_constraint=False,
    )  # fmt: skip
    reads = ArrayField(models.CharField(max_length=100))
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        verbose_name = "look still to be taken"
        verbose_name_plural = "looks still to be taken"
        indexes = [models.Index(fields=["tenant", "id"], name="recheck_queue")]

    def __str__(self) -> str:
        return f"{self.customer_id} since {self.changed_at:%H:%M:%S}"


class SegmentMembershipChange(TenantModel):
    """One customer's entry into a segment, or exit from it. Never changed once written.

    A first fill writes one per member, so its keys are not checked by the database: four checks a
    row would cost more than everything else together.
    """

    tenant = models.ForeignKey(
        Tenant, models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        default=current_tenant_id, editable=False,
    )  # fmt: skip
    segment = models.ForeignKey(
        CustomerSegment, models.CASCADE, related_name="membership_changes",
        db_index=False, db_constraint=False,
    )  # fmt: skip
    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    move = models.CharField(max_length=8, choices=MembershipMove)
    changed_at = models.DateTimeField()
    refresh = models.ForeignKey(
        SegmentRefresh, models.SET_NULL, null=True, blank=True, related_name="+",
        db_index=False, db_constraint=False,
    )  # fmt: skip

    class Meta(TenantModel.Meta):
        verbose_name = "membership change"
        constraints = [one_of("move", MembershipMove, model="membershipchange")]
        indexes = [
            # Serves the history and, a segment at a time, retention.
            models.Index(fields=["tenant", "segment", "changed_at"], name="change_of_segment"),
            models.Index(fields=["customer", "changed_at"], name="change_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.get_move_display()} {self.segment_id}"
