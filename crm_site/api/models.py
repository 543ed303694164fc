"""Answers kept so that a repeated request is not carried out twice."""

from django.db import models
from django.utils import timezone

from crm_site.tenancy.base import TenantModel


class KeptAnswer(TenantModel):
    """The first answer to one ``Idempotency-Key``, kept for a day.

    Written in the transaction of the request itself: a second one with the same key waits for the
    first to end, and a request that failed leaves none, since it changed nothing.
    """

    caller = models.CharField(max_length=100, help_text="key:<prefix> or user:<id>.")
    path = models.CharField(max_length=300)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64, help_text="SHA-256 of the body as sent.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(default="", help_text="As sent, so that a repeat gets the same bytes.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "caller", "path", "key"], name="kept_answer_once"
            )
        ]
        indexes = [models.Index(fields=["tenant", "created_at"], name="kept_answer_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.path} {self.key}"
