"""Bringing in a list of people, as a manager does: upload, map, check, import, undo."""

import pytest
from django.db import transaction

from crm_site.jobs import tasks as jobs
from crm_site.jobs.services import run_job
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerImport, CustomerProfile
from customers.services.importing.working import work_on_import

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PEOPLE = "Surname;First name;E-mail;Town\nLee;Ann;ann@example.org;Köln\nMoyo;Ben;nobody;Paarl\n"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr(jobs.current_app, "send_task", lambda *args, **kw: None)


def work(tenant):
    with tenant_scope(tenant.pk):
        with transaction.atomic():
            job = CustomerImport.objects.latest("requested_at")
        return run_job(CustomerImport, job.pk, work_on_import)


def test_a_list_is_mapped_checked_imported_and_taken_back(browse, ann, tenant):
    page = browse(ann)
    page.goto("/oakhill/admin/customers/customerimport/")
    page.get_by_role("link", name="Import a file").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode("cp1252")}
    )
    page.get_by_role("button", name="Upload and go on").click()

    expect(page.get_by_label("E-mail goes into")).to_have_value("email")
    expect(page.locator(".im-preview")).to_contain_text("Köln")
    expect(page.locator(".im-bad")).to_contain_text("not an e-mail address")
    page.get_by_role("button", name="Check the whole file").click()
    expect(page.locator(".crm-job-stage")).to_contain_text("Waiting for its turn")
    assert work(tenant) == "SUCCESS"
    expect(page.locator(".im-counts")).to_contain_text("would be added")

    page.get_by_role("link", name="Import now").click()
    page.locator("#dialog").get_by_role("button", name="Import now").click()
    expect(page.locator(".crm-job-stage")).to_contain_text("Waiting for its turn")
    assert work(tenant) == "SUCCESS"
    expect(page.locator(".im-counts")).to_contain_text("refused")
    expect(page.get_by_role("link", name="Ann Lee")).to_be_visible()

    page.get_by_role("link", name="Undo").click()
    page.locator("#dialog").get_by_role("button", name="Undo the import").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    assert work(tenant) == "SUCCESS"
    expect(page.locator(".im-counts")).to_contain_text("taken out again")
    with transaction.atomic():
        assert not CustomerProfile.objects.live().exists()
