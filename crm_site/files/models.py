"""Files that web and workers share: uploads that wait for a task, and what tasks wrote."""

from django.db import models
from django.utils import timezone

from crm_site.tenancy.base import TenantModel


class StoredFile(TenantModel):
    """A private file of one tenant, for a while.

    In the database and not on a disk: it is under row-level security, one transaction with what
    refers to it, and there for every web and worker process wherever they run. Read it through
    ``files.services``; nothing serves it by an address of its own.
    """

    purpose = models.CharField(max_length=40, help_text="What it is for: customer-import.")
    name = models.CharField(max_length=255, help_text="As the person's own machine calls it.")
    content_type = models.CharField(max_length=100, default="application/octet-stream")
    size = models.BigIntegerField(default=0, help_text="In bytes.")
    sha256 = models.CharField(max_length=64, default="", help_text="In hex; blank while written.")
    created_by = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="Removed after this.")

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "expires_at"], name="file_expiry")]

    def __str__(self) -> str:
        return self.name


class StoredFileChunk(TenantModel):
    """A piece of a file, in order from 0."""

    file = models.ForeignKey(StoredFile, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="file_chunk_once")]

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"
