"""A list as a file, and somebody erased, as a manager does both."""

from pathlib import Path

import pytest
from django.db import transaction

from crm_site.jobs import tasks as jobs
from crm_site.jobs.services import run_job
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerExport, CustomerProfile, Erasure
from customers.services.exports import run_export
from tests.factories import make_customer, make_segment

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/oakhill/admin/customers/customerprofile/"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr(jobs.current_app, "send_task", lambda *args, **kw: None)
    monkeypatch.setattr("customers.admin.privacy.nudge_copy_on_commit", lambda: None)


@pytest.fixture
def zoe(tenant, ann):
    with transaction.atomic():
        make_customer(first_name="Thabo", last_name="Nkosi", email="thabo@example.org")
        return make_customer(first_name="Zoë", last_name="Smyth", email="zoe@example.org")


def test_a_narrowed_list_becomes_a_file(browse, ann, zoe, tenant):
    page = browse(ann)
    page.goto(f"{LIST}?q=smyth")
    page.get_by_role("link", name="Export", exact=True).click()
    page.locator("#dialog").get_by_role("button", name="Export", exact=True).click()
    expect(page.locator(".crm-job-stage")).to_contain_text("Waiting for its turn")

    with tenant_scope(tenant.pk):
        with transaction.atomic():
            job = CustomerExport.objects.get()
        assert run_job(CustomerExport, job.pk, run_export) == "SUCCESS"

    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible()
    with page.expect_download() as caught:
        link.click()
    text = Path(caught.value.path()).read_text(encoding="utf-8-sig")
    assert "zoe@example.org" in text
    assert "thabo@example.org" not in text


def test_somebody_is_erased_once_the_word_is_typed(browse, ann, zoe):
    with transaction.atomic():
        rule = {"field": "email", "operator": "equals", "value": "zoe@example.org"}
        make_segment(rule, name="Zoë alone")
    page = browse(ann)
    page.goto(f"{LIST}{zoe.pk}/change/")
    page.get_by_text("Actions").filter(visible=True).first.click()
    page.get_by_role("link", name="Erase", exact=True).filter(visible=True).click()
    dialog = page.locator("#dialog")
    typed = dialog.get_by_label("Type ERASE to go on")
    typed.fill("erase")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(dialog).to_contain_text("Type ERASE, in capitals.")
    typed.fill("ERASE")
    dialog.get_by_role("button", name="Erase for good").click()

    expect(page.get_by_text("the rules of “Zoë alone” still name them")).to_be_visible()
    page.goto("/oakhill/admin/customers/erasure/")
    expect(page.get_by_role("link", name="Zoë alone")).to_be_visible()
    with transaction.atomic():
        assert Erasure.objects.count() == 1
        assert CustomerProfile.objects.get(pk=zoe.pk).name == "Unnamed customer"
