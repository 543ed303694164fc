"""Pairs that may be one person."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from crm_site.db.auditing import audited
from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.choices import DuplicateResolution
from customers.models.profile import CustomerProfile


class DuplicateCandidateQuerySet(models.QuerySet["DuplicateCandidate"]):
    def pending(self) -> "DuplicateCandidateQuerySet":
        """Pairs nobody has ruled on yet."""
        return self.filter(resolution=DuplicateResolution.PENDING)

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
    match_fields = models.JSONField(help_text='What agreed: {"email": {"agreement": "exact"}}')
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
        triggers = audited()

    def __str__(self) -> str:
        return f"{self.profile_a} / {self.profile_b}"
