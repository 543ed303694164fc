"""Pairs that may be one person."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from crm_site.db.auditing import audited
from crm_site.db.base import one_of
from crm_site.jobs.models import Job, job_constraints, job_indexes, one_open
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import CandidateKind, DuplicateResolution, ScanKind
from customers.models.profile import CustomerProfile


class DuplicateCandidateQuerySet(models.QuerySet["DuplicateCandidate"]):
    def unruled(self) -> "DuplicateCandidateQuerySet":
        """Pairs nobody has ruled on yet."""
        return self.filter(resolution=DuplicateResolution.PENDING)

    def pending(self) -> "DuplicateCandidateQuerySet":
        """Pairs to rule on: of those nobody has, people of one household are left out."""
        return self.unruled().filter(kind=CandidateKind.DUPLICATE)

    def households(self) -> "DuplicateCandidateQuerySet":
        """Pairs of different people who share an address, a phone or a mailbox."""
        return self.filter(kind=CandidateKind.HOUSEHOLD)

    def involving(self, profile: CustomerProfile) -> "DuplicateCandidateQuerySet":
        return self.filter(Q(profile_a=profile) | Q(profile_b=profile))

    def between(self, one: CustomerProfile, other: CustomerProfile) -> "DuplicateCandidateQuerySet":
        """The pair of these two, if there is one."""
        first, second = sorted((one.pk, other.pk))
        return self.filter(profile_a=first, profile_b=second)

    def between_live(self) -> "DuplicateCandidateQuerySet":
        """Pairs of which neither was deleted, erased or merged away since."""
        gone = ("profile_a__deleted_at", "profile_b__deleted_at",
                "profile_a__merged_at", "profile_b__merged_at")  # fmt: skip
        return self.filter(**{f"{field}__isnull": True for field in gone})

    def after(self, pair: "DuplicateCandidate") -> "DuplicateCandidateQuerySet":
        """Pairs less likely than this one, the next first."""
        later = Q(match_score=pair.match_score, pk__lt=pair.pk)
        found = self.filter(Q(match_score__lt=pair.match_score) | later)
        return found.order_by("-match_score", "-pk")

    def before(self, pair: "DuplicateCandidate") -> "DuplicateCandidateQuerySet":
        """Pairs likelier than this one, the nearest first."""
        earlier = Q(match_score=pair.match_score, pk__gt=pair.pk)
        found = self.filter(Q(match_score__gt=pair.match_score) | earlier)
        return found.order_by("match_score", "pk")


class DuplicateCandidate(TenantModel):
    """Two profiles that may be the same person, queued for review by staff.

    A pair is stored once, lower id first, whichever way round it was found.
    """

    profile_a = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="+")
    profile_b = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="+")
    match_type = models.CharField(
        max_length=32, help_text="The strongest evidence: email, phone, name_fuzzy."
    )
    match_score = models.FloatField(
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Confidence from 0 to 100.",
    )
    match_fields = models.JSONField(
        help_text="What agreed, and what it weighs in doublings of the odds; no values: "
        '{"v": 1, "fields": [{"field": "name", "level": "same name", "weight": 13.6}]}.'
    )
    kind = models.CharField(
        max_length=16, choices=CandidateKind, default=CandidateKind.DUPLICATE, editable=False
    )
    claimed = ArrayField(
        models.CharField(max_length=32),
        default=list,
        blank=True,
        editable=False,
        help_text="Identifiers that one gave though the other holds them: email, phone_number.",
    )
    compared_hash = models.BigIntegerField(
        null=True,
        editable=False,
        help_text="Of what was compared. A ruling stands for as long as it is the same.",
    )
    resolution = models.CharField(
        max_length=16, choices=DuplicateResolution, default=DuplicateResolution.PENDING
    )
    resolved_by = models.CharField(max_length=100, null=True, blank=True, help_text="Actor id.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects, all_tenants = tenant_managers(DuplicateCandidateQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "possible duplicate"
        constraints = [
            models.CheckConstraint(condition=Q(profile_a__lt=F("profile_b")), name="pair_ordered"),
            models.UniqueConstraint(fields=["profile_a", "profile_b"], name="pair_once"),
            one_of("resolution", DuplicateResolution, model="duplicate"),
            one_of("kind", CandidateKind, model="duplicate"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "resolution", "-match_score"], name="duplicate_resolution"
            ),
            models.Index(fields=["tenant", "match_score"], name="duplicate_score"),
            # Somebody's own decisions, the last first: what there is to undo.
            models.Index(
                fields=["tenant", "resolved_by", "-resolved_at"],
                condition=Q(resolved_at__isnull=False),
                name="duplicate_decided",
            ),
        ]
        triggers = audited("compared_hash", "claimed")

    def __str__(self) -> str:
        return f"{self.profile_a} / {self.profile_b}"


class DuplicateScan(Job):
    """One search of a tenant for pairs that may be one person: of everybody, or of who changed."""

    task_name: ClassVar[str] = "customers.scan_duplicates"
    # Its longest step is one statement over a million rows.
    lease: ClassVar[timedelta] = timedelta(minutes=10)

    kind = models.CharField(max_length=16, choices=ScanKind, default=ScanKind.FULL, editable=False)
    changed_since = models.DateTimeField(
        null=True, editable=False, help_text="Who changed since then is looked at; null: everybody."
    )
    profile_count = models.IntegerField("customers", default=0, editable=False)
    compared_count = models.BigIntegerField("pairs compared", default=0, editable=False)
    found_count = models.IntegerField("found", default=0, editable=False)
    household_count = models.IntegerField("of one household", default=0, editable=False)
    new_count = models.IntegerField("new", default=0, editable=False)
    reopened_count = models.IntegerField("to review again", default=0, editable=False)
    removed_count = models.IntegerField("no longer alike", default=0, editable=False)
    remarks = models.JSONField(
        default=list,
        editable=False,
        help_text='What was left out, in words: ["1,200 customers …"].',
    )
    parameters = models.JSONField(
        null=True,
        editable=False,
        help_text="What a scan of everybody counted, for those of who changed; shares, no values: "
        '{"engine": "splink-5/m2026-11", "prior": 1e-6, "u": {"name": {"same name": 6e-5}}}.',
    )

    class Meta(Job.Meta):
        verbose_name = "scan for duplicates"
        verbose_name_plural = "scans for duplicates"
        constraints = [
            *job_constraints("scan"),
            one_of("kind", ScanKind, model="scan"),
            one_open("scan_one_open"),
        ]
        indexes = job_indexes("scan")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.requested_at:%Y-%m-%d %H:%M}"
