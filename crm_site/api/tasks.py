"""Housekeeping of the API."""

from celery import shared_task
from django.db import transaction

from crm_site.api import idempotency
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import active_tenant_ids


@shared_task(name="api.forget_answers")
def forget_answers() -> int:
    """Every hour: remove kept answers past their day. Returns how many."""
    removed = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            removed += idempotency.forget_old()
    return removed
