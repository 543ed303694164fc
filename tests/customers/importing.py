"""Files to import, and importing them."""

import io

from django.db import transaction
from django.utils import timezone

from crm_site.jobs.services import run_job
from customers.models import CustomerImport
from customers.services.importing.plans import Plan
from customers.services.importing.refusals import read_refusals
from customers.services.importing.requesting import (
    keep_upload,
    look_at,
    request_import,
    request_undo,
)
from customers.services.importing.working import work_on_import
from tests.conftest import ACTOR


def upload(data, name="people.csv"):
    data = data if isinstance(data, bytes) else data.encode()
    with transaction.atomic():
        return keep_upload(
            name=name, chunks=[data] if data else [], actor=ACTOR, now=timezone.now()
        )


def workbook(*rows):
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def run(job):
    run_job(CustomerImport, job.pk, work_on_import)
    return CustomerImport.objects.get(pk=job.pk)


def request(data, *, is_check=False, columns=None, name="people.csv", **plan):
    file = upload(data, name)
    look = look_at(file)
    chosen = Plan(columns=tuple(columns or look.header), layout=look.layout, **plan)
    return request_import(file=file, plan=chosen, actor=ACTOR, is_check=is_check)


def import_file(data, **options):
    """Import and return the job as it ended."""
    return run(request(data, **options))


def undo(job):
    return run(request_undo(job=job, actor=ACTOR, now=timezone.now()))


def counts(job):
    names = ("created", "updated", "unchanged", "refused")
    return tuple(getattr(job, f"{name}_count") for name in names)


def reasons(job):
    return [tuple(row.values()) for row in read_refusals(job)]
