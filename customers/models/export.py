"""Customers into a file."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm_site.db.base import one_of
from crm_site.files.models import StoredFile
from crm_site.jobs.models import Job, job_constraints, job_indexes
from customers.choices import ExportFormat, ExportKind
from customers.models.profile import CustomerProfile


class CustomerExport(Job):
    """A file somebody asked for: a list of customers, or everything held about one of them.

    A list is of whoever matched when it was asked for. Both files are gone after a few days.
    """

    task_name: ClassVar[str] = "customers.run_export"
    lease: ClassVar[timedelta] = timedelta(minutes=5)

    kind = models.CharField(max_length=8, choices=ExportKind, editable=False)
    format = models.CharField(max_length=8, choices=ExportFormat, editable=False)
    customer = models.ForeignKey(
        CustomerProfile, models.CASCADE, null=True, related_name="+", editable=False
    )
    columns = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    filters = models.JSONField(
        default=dict, editable=False, help_text='What the list was narrowed by: {"tier": ["Gold"]}.'
    )
    selection = models.ForeignKey(
        StoredFile, models.SET_NULL, null=True, related_name="+", db_index=False, editable=False,
        help_text="The ids of who matched, 16 bytes each, in the list's order.",
    )  # fmt: skip
    file = models.ForeignKey(
        StoredFile, models.SET_NULL, null=True, related_name="+", db_index=False, editable=False
    )
    row_count = models.IntegerField("customers", default=0, editable=False)

    class Meta(Job.Meta):
        verbose_name = "export"
        constraints = [
            *job_constraints("export"),
            one_of("kind", ExportKind, model="export"),
            one_of("format", ExportFormat, model="export"),
        ]
        indexes = [*job_indexes("export")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.requested_at:%d %b %Y %H:%M}"
