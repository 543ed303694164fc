"""Merging many pairs in one go."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from crm_site.jobs.models import Job, job_constraints, job_indexes, one_open
from crm_site.tenancy.base import TenantModel
from customers.models.duplicate import DuplicateCandidate
from customers.models.merge import ProfileMerge


class BulkMerge(Job):
    """Every pair over a score, merged one after the other; what was seen beforehand is written down
    as its pairs. A job: it says how far it is, and stops between two pairs."""

    task_name: ClassVar[str] = "customers.run_bulk_merge"
    lease: ClassVar[timedelta] = timedelta(minutes=5)

    min_score = models.FloatField("from a score of", editable=False)
    pair_count = models.IntegerField("pairs", default=0, editable=False)

    class Meta(Job.Meta):
        verbose_name = "bulk merge"
        constraints = [*job_constraints("bulkmerge"), one_open("bulkmerge_one_open")]
        indexes = [*job_indexes("bulkmerge")]

    def __str__(self) -> str:
        return f"Pairs of {self.min_score:.0f} % and more"


class BulkMergePair(TenantModel):
    """One pair of a bulk merge. Neither merged nor refused: it has not had its turn.

    ``survivor_id`` and ``absorbed_id`` are as they were when somebody agreed; a pair that became
    another one meanwhile is not what was agreed to.
    """

    job = models.ForeignKey(BulkMerge, models.CASCADE, related_name="pairs", db_index=False)
    position = models.IntegerField()
    pair = models.ForeignKey(
        DuplicateCandidate, models.SET_NULL, null=True, related_name="+", editable=False
    )
    survivor_id = models.UUIDField()
    absorbed_id = models.UUIDField()
    merge = models.ForeignKey(
        ProfileMerge, models.SET_NULL, null=True, related_name="bulk_pairs", editable=False
    )
    refusal = models.TextField(null=True, blank=True, help_text="Why it was left alone.")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "pair of a bulk merge"
        ordering = ["job", "position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="bulkmergepair_once"),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} into {self.survivor_id}"
