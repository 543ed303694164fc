"""Housekeeping of files."""

from celery import shared_task
from django.utils import timezone

from crm_site.files.services import remove_expired_files
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import active_tenant_ids


@shared_task(name="files.retain")
def retain() -> int:
    """Every hour: remove files past their time. Returns how many."""
    removed = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id):
            removed += remove_expired_files(timezone.now())
    return removed
