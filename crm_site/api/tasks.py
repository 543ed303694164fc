"""Housekeeping of the API."""

from celery import shared_task
from django.db import transaction

from crm_site.api import idempotency
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant


@shared_task(name="api.forget_answers")
def forget_answers() -> int:
    """Every hour: remove kept answers past their day. Returns how many."""
    removed = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk), transaction.atomic():
            removed += idempotency.forget_old()
    return removed
