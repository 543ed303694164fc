"""Importing through the admin and over HTTP: who may, what they see, what they are told."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm_site.jobs import tasks as jobs
from crm_site.jobs.services import run_job
from customers.models import CustomerImport, CustomerProfile
from customers.services.importing.working import work_on_import
from tests.customers.importing import import_file
from tests.factories import make_customer

ADMIN = "/oakhill/admin/customers/customerimport/"
API = "/api/v1/customers/import/"
PEOPLE = "Mail;Town\nann@example.org;Durban\nnobody;Paarl\n"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    calls = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, **kw: calls.append(name))
    return calls


def csv(text=PEOPLE, name="people.csv"):
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)


def work(job=None):
    job = job or CustomerImport.objects.latest("requested_at")
    run_job(CustomerImport, job.pk, work_on_import)
    return CustomerImport.objects.get(pk=job.pk)


def test_a_file_is_uploaded_mapped_checked_imported_and_undone(as_ann, actor):
    uploaded = as_ann.post(f"{ADMIN}new/", {"file": csv()})
    page = as_ann.get(uploaded.url)
    assert "Semicolon" in page.content.decode()
    assert "1 of the first 2 rows would be refused" in page.content.decode()
    assert "This is not an e-mail address." in page.content.decode()

    chosen = {"wish": "check", "column_0": "email", "column_1": "city", "on_conflict": "FILL",
              "date_order": "ISO", "tags": "open-day"}  # fmt: skip
    asked = as_ann.post(uploaded.url, chosen)
    check = work()
    shown = as_ann.get(asked.url).content.decode()
    assert "would be added" in shown
    assert "Import now" in shown
    assert not CustomerProfile.objects.exists()

    go = as_ann.post(f"{ADMIN}{check.pk}/import_now/", {"_form_submitted": "True"})
    assert CustomerImport.objects.filter(kind="IMPORT").exists(), go.content.decode()[:500]
    job = work()
    shown = as_ann.get(f"{ADMIN}{job.pk}/change/").content.decode()
    assert CustomerProfile.objects.get().tags == ["open-day"]
    assert "ann@example.org" in shown
    refused = as_ann.get(f"{ADMIN}{job.pk}/refused/")
    assert "3,email,This is not an e-mail address.,nobody,Paarl" in refused.content.decode()

    as_ann.post(f"{ADMIN}{job.pk}/undo/", {"_form_submitted": "True"})
    work()
    assert not CustomerProfile.objects.live().exists()
    assert "was undone" in as_ann.get(f"{ADMIN}{job.pk}/change/").content.decode()


def test_the_result_leads_to_the_people_of_that_import_alone(as_ann, as_cleo, actor, other_tenant):
    make_customer(email="ann@example.org", first_name="Ann", city="Paarl")
    make_customer(first_name="Zola")
    job = import_file("email,firstName,city\nann@example.org,Ann,Durban\nben@example.org,Ben,\n")
    people = f"/oakhill/admin/customers/customerprofile/?import={job.pk}"

    page = as_ann.get(f"{ADMIN}{job.pk}/change/")

    assert people in page.content.decode()
    found = as_ann.get(people).context["cl"].result_list
    assert sorted(customer.first_name for customer in found) == ["Ann", "Ben"]
    assert not as_ann.get(people.replace(str(job.pk), "x")).context["cl"].result_list
    assert not as_cleo.get(people.replace("oakhill", other_tenant.pk)).context["cl"].result_list


def test_another_reading_of_the_file_may_be_chosen(as_ann, actor):
    uploaded = as_ann.post(f"{ADMIN}new/", {"file": csv("a,b;c,d\n1,2;3,4\n")})

    page = as_ann.post(uploaded.url, {"wish": "reread", "delimiter": ";", "encoding": "cp1252"})

    assert "c,d" in page.content.decode()


def test_a_mapping_that_cannot_be_is_told_and_kept(as_ann, actor):
    uploaded = as_ann.post(f"{ADMIN}new/", {"file": csv()})

    page = as_ann.post(uploaded.url, {"wish": "import", "column_0": "email", "column_1": "email"})

    assert page.status_code == 400
    assert "is there twice" in page.content.decode()
    assert not CustomerImport.objects.exists()


def test_the_same_file_twice_is_warned_of(as_ann, actor):
    import_file(PEOPLE, columns=["email", "city"])

    uploaded = as_ann.post(f"{ADMIN}new/", {"file": csv()})

    assert "This very file was imported" in as_ann.get(uploaded.url).content.decode()


@pytest.mark.parametrize("text", ["", "%PDF-1.7 x", "\n\n"])
def test_what_is_no_list_is_refused_at_the_door(as_ann, text):
    answer = as_ann.post(f"{ADMIN}new/", {"file": csv(text)})

    assert answer.status_code == 400


def test_a_file_too_big_is_refused_with_a_message(as_ann, settings, key_for, tenant):
    settings.UPLOAD_MAX_BYTES = 1000

    page = as_ann.post(f"{ADMIN}new/", {"file": csv("email\n" + "a@b.co\n" * 1000)})
    api = as_ann.post(
        API, {"file": csv("email\n" + "a@b.co\n" * 1000)}, **key_for(tenant, "customers:write")
    )

    assert page.status_code == 400
    assert "too big" in page.content.decode()
    assert (api.status_code, api.json()["code"]) == (413, "file_too_big")


def test_progress_is_shown_and_cancelling_is_a_post(as_ann, actor):
    uploaded = as_ann.post(f"{ADMIN}new/", {"file": csv()})
    as_ann.post(uploaded.url, {"wish": "import", "column_0": "email", "column_1": "city"})
    job = CustomerImport.objects.get()

    panel = as_ann.get(f"{ADMIN}{job.pk}/progress/").content.decode()
    assert 'hx-trigger="every' in panel
    assert "Waiting for its turn" in panel
    assert as_ann.get(f"{ADMIN}{job.pk}/cancel/").status_code == 405
    as_ann.post(f"{ADMIN}{job.pk}/cancel/")

    job.refresh_from_db()
    assert job.status == "CANCELLED"
    assert as_ann.get(f"{ADMIN}{job.pk}/progress/").headers["HX-Refresh"] == "true"


def test_who_only_reads_and_who_is_elsewhere_gets_nowhere(as_ann, as_ben, as_cleo, actor):
    job = import_file("email,city\nann@example.org,Durban\nx,y\n")

    assert as_ben.get(f"{ADMIN}new/").status_code == 403
    assert as_ben.get(f"{ADMIN}{job.pk}/refused/").status_code == 403
    assert as_ben.post(f"{ADMIN}{job.pk}/cancel/").status_code in {403, 404}
    there = ADMIN.replace("oakhill", "pinecrest")
    assert as_cleo.get(f"{there}{job.pk}/change/").status_code == 404
    assert as_cleo.get(f"{there}{job.pk}/refused/").status_code == 404
    assert as_cleo.get(f"{there}{job.pk}/progress/").status_code == 404
    assert as_cleo.get(f"{there}new/{job.file_id}/").status_code == 302


def test_over_http_a_file_is_checked_imported_polled_and_undone(client, tenant, key_for, rung):
    key = key_for(tenant, "customers:read", "customers:write")
    make_customer(email="ann@example.org", first_name="Ann", city="Paarl")
    said = {"columns": json.dumps({"Mail": "email", "Town": "city"}), "addTags": "a, b"}

    check = client.post(API, {"file": csv(), "dryRun": "true", **said}, **key)
    assert (check.status_code, check.json()["kind"]) == (202, "CHECK")
    work()
    asked = client.post(API, {"file": csv(), **said}, **key)
    assert (asked.status_code, asked.json()["status"]) == (202, "PENDING")
    work()

    job = client.get(asked.headers["Location"], **key).json()
    assert (job["status"], job["progress"]) == ("SUCCESS", 1)
    assert (job["updatedCount"], job["refusedCount"]) == (1, 1)
    assert "nobody" in client.get(f"{API}{job['id']}/refused/", **key).content.decode()
    assert client.post(f"{API}{job['id']}/cancel/", **key).status_code == 409
    undone = client.post(f"{API}{job['id']}/undo/", **key)
    assert (undone.status_code, undone.json()["undoesId"]) == (202, job["id"])
    assert work().restored_count == 1
    assert client.post(f"{API}{job['id']}/undo/", **key).status_code == 409


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({}, "file"),
        ({"file": "text"}, "file"),
        ({"file": csv("shoe,email\n1,a@b.co\n")}, "shoe"),
        ({"file": csv(), "columns": "no json"}, "columns"),
        ({"file": csv(), "columns": '{"Street": "city"}'}, "columns"),
        ({"file": csv(), "columns": '{"Mail": "shoe"}'}, "shoe"),
        ({"file": csv(), "onConflict": "WIN"}, "onConflict"),
        ({"file": csv(), "colour": "red"}, "colour"),
        ({"file": csv("%PDF-1.7")}, "file"),
    ],
)
def test_over_http_what_cannot_be_is_refused_by_field(client, tenant, key_for, said, path):
    for value in said.values():
        if hasattr(value, "seek"):
            value.seek(0)

    answer = client.post(API, said, **key_for(tenant, "customers:write"))

    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["path"] == path
    assert not CustomerImport.objects.exists()


def test_a_key_that_may_only_read_cannot_import(client, tenant, key_for):
    assert client.post(API, {"file": csv()}, **key_for(tenant, "customers:read")).status_code == 403
