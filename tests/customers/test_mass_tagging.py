"""Tagging more customers than a request should: a job does it, exactly as was agreed."""

import pytest

from crm_site.jobs.services import cancel_job, run_job
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile, Tagging, TaggingTarget
from customers.services import mass_tagging
from customers.services.mass_tagging import work_on_tagging
from tests.factories import make_customer

LIST = "/oakhill/admin/customers/customerprofile/"
WISH = {"_form_submitted": "True", "tag": "golden", "expected": 5}
AT_LIST = {"HTTP_HX_CURRENT_URL": f"http://testserver{LIST}?tier=Gold"}


@pytest.fixture
def asked_for(as_ann, tenant, other_tenant, monkeypatch):
    """A job for the five Gold customers, as the list's dialog asks for it."""
    monkeypatch.setattr("customers.admin.list_columns.MOST_AT_ONCE", 2)
    monkeypatch.setattr(mass_tagging, "AT_ONCE", 2)
    with tenant_scope(other_tenant.pk):
        make_customer(membership_tier="Gold")
    for _ in range(4):
        make_customer(membership_tier="Gold")
    make_customer(membership_tier="Gold", tags=["golden"])
    make_customer(membership_tier="Silver")
    answer = as_ann.post(f"{LIST}tag_many/", WISH, **AT_LIST)
    job = Tagging.objects.get()
    assert str(job.pk) in answer.headers["HX-Redirect"]
    # Who comes later was not agreed to.
    make_customer(membership_tier="Gold")
    return job


def golden():
    return CustomerProfile.all_tenants.filter(tags__contains=["golden"]).count()


def test_those_agreed_to_are_tagged_and_nobody_else(as_ann, as_cleo, ann, asked_for):
    assert run_job(Tagging, asked_for.pk, work_on_tagging) == "SUCCESS"

    assert golden() == 5
    job = Tagging.objects.get()
    assert (job.target_count, job.tagged_count, job.progress) == (5, 4, 1.0)
    assert job.requested_by == f"user:{ann.pk}"
    assert not TaggingTarget.objects.exists()
    page = f"admin/customers/tagging/{job.pk}/change/"
    assert "golden" in as_ann.get(f"/oakhill/{page}").content.decode()
    assert as_cleo.get(f"/pinecrest/{page}").status_code == 404


def test_cut_short_it_goes_on_where_it_was(asked_for):
    def stop_after_one(job, report):
        turns = iter([None])

        def stopping(*args, **kwargs):
            report(*args, **kwargs)
            next(turns)

        stopping.hold = report.hold
        work_on_tagging(job, stopping)

    run_job(Tagging, asked_for.pk, stop_after_one)
    assert TaggingTarget.objects.count() == 1
    Tagging.objects.update(status="PENDING")

    assert run_job(Tagging, asked_for.pk, work_on_tagging) == "SUCCESS"

    assert golden() == 5


def test_a_cancelled_one_tags_nobody(asked_for):
    cancel_job(Tagging, asked_for.pk)

    assert run_job(Tagging, asked_for.pk, work_on_tagging) is None
    assert golden() == 1
