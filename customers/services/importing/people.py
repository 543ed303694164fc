"""Whom an import was about."""

from typing import Any
from uuid import UUID

from django.db.models import F, Func, QuerySet

from customers.models import ImportBatch, ImportChange


def people_of_import(job_id: UUID) -> QuerySet[Any, Any]:
    """Ids of all whom the import made or changed, for as long as it can be undone."""
    each = Func(F("created_ids"), function="unnest")
    made = ImportBatch.objects.filter(job=job_id).values_list(each, flat=True)
    changed = ImportChange.objects.filter(job=job_id).values_list("customer_id", flat=True)
    return made.union(changed)
