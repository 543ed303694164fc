"""Customers out of a file."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from crm_site.db.base import one_of
from crm_site.files.models import StoredFile
from crm_site.jobs.models import Job, JobStatus, job_constraints, job_indexes, one_running
from crm_site.tenancy.base import TenantModel
from customers.choices import ImportKind
from customers.models.profile import CustomerProfile


class CustomerImport(Job):
    """One go at a file of customers: a check that changes nothing, an import, or its undoing.

    The file is kept for a while; what the import made and changed is kept for as long as it can be
    undone.
    """

    task_name: ClassVar[str] = "customers.run_import"
    lease: ClassVar[timedelta] = timedelta(minutes=5)

    kind = models.CharField(max_length=8, choices=ImportKind, editable=False)
    file = models.ForeignKey(
        StoredFile, models.SET_NULL, null=True, related_name="+", db_index=False, editable=False
    )
    file_name = models.CharField("file", max_length=255, editable=False)
    file_hash = models.CharField(max_length=64, editable=False, help_text="SHA-256, in hex.")
    file_size = models.BigIntegerField(default=0, editable=False)
    header_hash = models.CharField(
        max_length=64, editable=False, help_text="Finds how columns were mapped the last time."
    )
    plan = models.JSONField(
        editable=False,
        help_text='How it is read: {"columns": ["email", null], "onConflict": "FILL"}.',
    )
    undoes = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="undoings", editable=False
    )
    refused_file = models.ForeignKey(
        StoredFile, models.SET_NULL, null=True, related_name="+", db_index=False, editable=False
    )
    done_rows = models.IntegerField(
        default=0, editable=False, help_text="So many rows of the file are settled."
    )
    created_count = models.IntegerField("created", default=0, editable=False)
    updated_count = models.IntegerField("updated", default=0, editable=False)
    unchanged_count = models.IntegerField("unchanged", default=0, editable=False)
    refused_count = models.IntegerField("refused", default=0, editable=False)
    removed_count = models.IntegerField("removed again", default=0, editable=False)
    restored_count = models.IntegerField("put back", default=0, editable=False)
    left_count = models.IntegerField("left as they are", default=0, editable=False)

    class Meta(Job.Meta):
        verbose_name = "import"
        constraints = [
            *job_constraints("import"),
            one_of("kind", ImportKind, model="import"),
            one_running("import_one_running"),
        ]
        indexes = [
            *job_indexes("import"),
            models.Index(fields=["tenant", "header_hash"], name="import_header"),
            models.Index(fields=["tenant", "file_hash"], name="import_file"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def has_changed_customers(self) -> bool:
        return self.kind == ImportKind.IMPORT and (self.created_count + self.updated_count) > 0

    @property
    def is_done(self) -> bool:
        return self.status == JobStatus.SUCCESS


class ImportBatch(TenantModel):
    """What one transaction of an import wrote: the customers it made, by id, and when."""

    job = models.ForeignKey(CustomerImport, models.CASCADE, related_name="batches", db_index=False)
    first_row = models.IntegerField()
    created_ids = ArrayField(models.UUIDField())
    started_at = models.DateTimeField(default=timezone.now)
    written_at = models.DateTimeField(
        help_text="Whoever was changed between these two moments was changed by the import."
    )

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["job", "first_row"], name="batch_once")]

    def __str__(self) -> str:
        return f"{self.job_id} from row {self.first_row}"


class ImportChange(TenantModel):
    """What an import changed of one customer it found, so that it can be put back."""

    job = models.ForeignKey(CustomerImport, models.CASCADE, related_name="changes", db_index=False)
    customer = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="+")
    changes = models.JSONField(
        help_text='By column: {"city": {"old": "Durban", "new": "Ballito"}}.'
    )

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["job", "id"], name="import_change_order")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.customer_id}"
