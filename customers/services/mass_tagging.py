"""Tagging more customers than a request should: they are written down, and a job does the rest."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from crm_site.audit.actor import Actor
from crm_site.jobs.models import OPEN
from crm_site.jobs.services import Reporter, request_job
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile, Tagging, TaggingTarget
from customers.services.tagging import checked_tag, tag_customers

AT_ONCE = 2_000
TAKE = """
DELETE FROM customers_taggingtarget WHERE id = ANY(ARRAY(
    SELECT id FROM customers_taggingtarget
    WHERE tenant_id = %s AND tagging_id = %s ORDER BY id LIMIT %s
)) RETURNING customer_id
"""


@transaction.atomic
def request_tagging(*, customers: QuerySet[CustomerProfile], tag: str, actor: Actor) -> Tagging:
    """Ask for a tag on everybody in ``customers`` as they are now. The caller nudges the job.

    One statement writes them down, so that the work tags exactly those who were counted. Raises
    TaggingError for an empty tag.
    """
    TaggingTarget.objects.exclude(tagging__status__in=OPEN).delete()  # Of cancelled ones.
    job = request_job(Tagging, actor=actor, tag=checked_tag(tag))
    sql, params = customers.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_taggingtarget (id, tenant_id, tagging_id, customer_id) "  # noqa: S608 - the ORM's own statement, its values bound
            f"SELECT fairway_uuid7(), %s, %s, listed.id FROM ({sql}) AS listed (id)",
            [require_tenant_id(), job.pk, *params],
        )
        job.target_count = cursor.rowcount
    job.save(update_fields=["target_count"])
    return job


def work_on_tagging(job: Tagging, report: Reporter) -> None:
    """Tag who is left, a batch a transaction; a batch is done with when its targets are gone."""
    while True:
        with transaction.atomic(durable=True):
            report.hold()
            taken = _take(job)
            rows = CustomerProfile.objects.filter(pk__in=taken)
            tagged = tag_customers(customers=rows, tag=job.tag, actor=Actor.current())
            left = job.targets.count()
            job.tagged_count += tagged
            job.save(update_fields=["tagged_count"])
        done = job.target_count - left
        report(done / max(job.target_count, 1), f"{done:,} of {job.target_count:,} customers")
        if not left:
            return


def _take(job: Tagging) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [require_tenant_id(), job.pk, AT_ONCE])
        return [customer_id for (customer_id,) in cursor.fetchall()]
