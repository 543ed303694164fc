"""A tag for many customers, as long work."""

from typing import ClassVar

from django.db import models

from crm_site.jobs.models import Job, job_constraints, job_indexes, one_running
from crm_site.tenancy.base import TenantModel


class Tagging(Job):
    """One tag to be put on everybody whom a list showed when somebody agreed to it."""

    task_name: ClassVar[str] = "customers.run_tagging"

    tag = models.CharField(max_length=64, editable=False)
    target_count = models.IntegerField("customers", default=0, editable=False)
    tagged_count = models.IntegerField(
        "tagged so far", default=0, editable=False, help_text="Those who had it already are not."
    )

    class Meta(Job.Meta):
        constraints = [*job_constraints("tagging"), one_running("tagging_one_running")]
        indexes = [*job_indexes("tagging")]

    def __str__(self) -> str:
        return f"“{self.tag}” for {self.target_count:,} customers"


class TaggingTarget(TenantModel):
    """One customer whom a tagging has still to reach. Gone once it has."""

    tagging = models.ForeignKey(Tagging, models.CASCADE, related_name="targets", db_index=False)
    # An id and no key: a merge or an erasure need not wait for it, and who is gone is passed over.
    customer_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tagging", "id"], name="tagging_target_next")]

    def __str__(self) -> str:
        return str(self.customer_id)
