"""The Celery application: what `celery -A crm_site worker` and `… beat` start from."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_site.settings")

app = Celery("fairway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def refuse_bypassing_role(**kwargs: Any) -> None:
    """A worker that could see past row-level security does not start."""
    from crm_site.tenancy.roles import refuse_bypassing_role as refuse

    refuse()
