"""Ringing for jobs that wait, and looking after those whose worker died."""

from celery import current_app, shared_task
from django.apps import apps
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from crm_site.jobs.models import Job
from crm_site.jobs.services import recover_jobs
from crm_site.tenancy.context import require_tenant_id, tenant_scope
from crm_site.tenancy.services import active_tenant_ids

# A job that waits in a worker's queue is not rung for again in this time.
RUNG_SECONDS = 20


def job_models() -> list[type[Job]]:
    """Every kind of job there is."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def nudge_on_commit(job: Job) -> None:
    """Ring for a job once others can see it. Without a broker the tick finds it."""
    tenant_id = require_tenant_id()
    transaction.on_commit(lambda: _ring(tenant_id, job), robust=True)


def _ring(tenant_id: str, job: Job) -> bool:
    if not cache.add(f"jobs:{job.pk}:{job.attempt_count}", 1, RUNG_SECONDS):
        return False
    current_app.send_task(job.task_name, args=[tenant_id, str(job.pk)])
    return True


@shared_task(name="jobs.tend")
def tend() -> int:
    """Take up jobs whose worker died and ring for those that wait. Returns how many were rung."""
    rung = 0
    for tenant_id in active_tenant_ids():
        for model in job_models():
            with tenant_scope(tenant_id), transaction.atomic():
                recover_jobs(model, now=timezone.now())
                waiting = list(model.objects.waiting().order_by("requested_at"))
            rung += sum(_ring(tenant_id, job) for job in waiting)
    return rung
