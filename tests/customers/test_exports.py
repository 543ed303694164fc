"""What is held about one person, and lists of people, as files."""

import csv
import io
import json
import zipfile

import openpyxl
import pytest
from django.db import transaction
from django.utils import timezone

from crm_site.access.roles import Role
from crm_site.audit.actor import Actor
from crm_site.audit.models import CrmAuditLog
from crm_site.files.models import StoredFile
from crm_site.files.services import read_file
from crm_site.jobs.services import cancel_job, run_job
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerExport, CustomerProfile, IdentityAlias
from customers.services.erasure import erase_profile
from customers.services.exports import (
    ExportError,
    may_have,
    request_list_export,
    request_person_export,
    run_export,
)
from customers.services.holdings import holdings
from customers.services.inert import cell
from tests.campaigns.builders import make_segment
from tests.conftest import make_user, signed_in
from tests.customers.conftest import event
from tests.factories import make_customer, make_export, make_note

API = "/api/v1/"


def written(job):
    """The job run to its end, and the bytes of its file."""
    assert run_job(CustomerExport, job.pk, run_export) == "SUCCESS"
    job.refresh_from_db()
    return b"".join(read_file(job.file))


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def everybody():
    return CustomerProfile.objects.order_by("pk")


# One person


@pytest.fixture
def ann_lee(tenant, process):
    """A member who booked, agreed to e-mail, is in a segment, and about whom two people wrote."""
    said = {"email": "ann@example.org", "sclMemberId": 7}
    [row, *_] = process(
        event("scl", "member.created", customer={**said, "firstName": "Ann", "lastName": "<Lee>"}),
        event("messaging", "contactPreference.updated", customer=said, channel="EMAIL",
              optedIn=True, changedAt=timezone.now().isoformat(), source="the website"),
    )  # fmt: skip
    customer = CustomerProfile.objects.get(pk=row.customer_id)
    IdentityAlias.objects.create(
        customer=customer, type="EMAIL", value="lee@example.org", source="crm"
    )
    make_segment(customer, name="Early birds")
    make_note(customer, content="For all to see.")
    make_note(customer, content="Mine alone.", is_private=True, created_by="key:mine")
    make_note(customer, content="Hers alone.", is_private=True, created_by="user:other")
    return customer


def test_everything_held_about_one_person_is_told(client, tenant, ann_lee, key_for):
    headers = key_for(tenant, "customers:read")

    answer = client.get(f"{API}customers/{ann_lee.pk}/export/", **headers)

    told = json.loads(b"".join(answer.streaming_content))
    assert {section.name for section in holdings()} <= told.keys()
    assert (told["customerId"], told["profiles"][0]["email"]) == (
        str(ann_lee.pk),
        "ann@example.org",
    )
    [email, *_] = told["consent"]
    assert (email["channel"], email["optedIn"], email["source"]) == ("EMAIL", True, "messaging")
    assert told["consentHistory"][0]["via"] == "Via the website"
    assert [each["value"] for each in told["identifiers"]] == ["lee@example.org"]
    assert told["segments"][0]["name"] == "Early birds"
    assert told["segments"][0]["why"] == "Added by hand or from a file."
    assert [each["content"] for each in told["notes"]] == ["For all to see."]
    assert len(told["events"]) == 2
    assert "alone" not in json.dumps(told)
    entry = CrmAuditLog.objects.get(action="EXPORT")
    assert (entry.entity_id, entry.metadata) == (str(ann_lee.pk), {"format": "JSON"})


def test_another_club_a_reader_and_a_key_without_the_scope_get_nothing(
    client, tenant, other_tenant, ann_lee, as_ben, as_cleo, key_for
):
    url = f"{API}customers/{ann_lee.pk}/export/"

    assert client.get(url, **key_for(other_tenant, "customers:read")).status_code == 404
    assert client.get(url, **key_for(tenant, "customers:write")).status_code == 403
    assert as_ben.get(f"/oakhill{url}").status_code == 403
    assert as_cleo.get(f"/oakhill{url}").status_code == 404
    assert as_cleo.get(f"/pinecrest{url}").status_code == 404


def test_a_person_may_read_it_as_a_page_with_private_notes_of_who_asked(ann_lee):
    job = request_person_export(customer_id=ann_lee.pk, actor=Actor("key:mine"))

    archive = zipfile.ZipFile(io.BytesIO(written(job)))

    page, data = archive.read("read-me.html").decode(), json.loads(archive.read("data.json"))
    assert "What Oakhill Golf Club holds about Ann &lt;Lee&gt;" in page
    assert "<Lee>" not in page
    assert "Mine alone." in page
    assert "Hers alone." not in page
    assert {note["content"] for note in data["notes"]} == {"For all to see.", "Mine alone."}
    assert may_have(job, Actor("key:mine"))
    assert not may_have(job, Actor("user:other"))


# Lists


def test_a_list_holds_the_columns_asked_for_in_the_lists_order(tenant, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        make_customer(first_name="Stranger")
    make_customer(
        first_name="Zoë", handicap="-2.5", tags=["vip", "early"], phone_number="+27825550101"
    )
    make_customer(first_name="Ben", email=None)

    job = request_list_export(
        people=everybody().order_by("first_name"),
        filters={"tier": ["Gold"], "q": ["ann@example.org"]},
        columns=["firstName", "phoneNumber", "handicap", "tags"],
        actor=actor,
    )
    rows = rows_of(written(job))

    assert rows == [
        {"firstName": "Ben", "phoneNumber": "", "handicap": "", "tags": ""},
        {"firstName": "Zoë", "phoneNumber": "+27825550101", "handicap": "-2.5",
         "tags": "vip;early"},
    ]  # fmt: skip
    entry = CrmAuditLog.objects.get(action="EXPORT")
    assert entry.metadata["customers"] == 2
    assert entry.metadata["filters"] == {"tier": ["Gold"], "q": "…"}
    assert entry.performed_by == actor.id


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("+27 82 555 0101", "+27 82 555 0101"),
        ("-4.2", "-4.2"),
        ("O'Neil", "O'Neil"),
        (None, ""),
        (True, "true"),
        (["=1", "b"], "'=1;b"),
    ],
)
def test_cells_that_start_a_formula_are_made_inert(value, shown):
    assert cell(value) == shown


def test_in_excel_too(tenant, actor):
    make_customer(first_name="=1+1", last_name="Ünal")
    job = request_list_export(
        people=everybody(),
        filters={},
        columns=["firstName", "lastName"],
        format="XLSX",
        actor=actor,
    )

    sheet = openpyxl.load_workbook(io.BytesIO(written(job))).active

    assert [[(each.value, each.data_type) for each in row] for row in sheet.rows] == [
        [("firstName", "s"), ("lastName", "s")],
        [("'=1+1", "s"), ("Ünal", "s")],
    ]


def test_what_cannot_be_exported_is_refused_and_leaves_nothing(tenant, other_tenant, actor):
    asked = {"people": everybody(), "filters": {}, "actor": actor}
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
    with pytest.raises(ExportError, match="Nobody"), transaction.atomic():
        request_list_export(**asked)
    make_customer()
    for wrong, path in (
        ({"columns": ["notes"]}, "columns"),
        ({"columns": []}, "columns"),
        ({"format": "PDF"}, "format"),
    ):
        with pytest.raises(ExportError) as refused, transaction.atomic():
            request_list_export(**{**asked, **wrong})
        assert refused.value.path == path
    with pytest.raises(ExportError), transaction.atomic():
        request_person_export(customer_id=stranger.pk, actor=actor)

    assert not CustomerExport.objects.exists()
    assert not StoredFile.objects.exists()


def test_a_cancelled_export_stops_and_gives_no_file(tenant, actor):
    make_customer()
    job = request_list_export(people=everybody(), filters={}, actor=actor)

    cancel_job(CustomerExport, job.pk)

    assert run_job(CustomerExport, job.pk, run_export) is None
    job.refresh_from_db()
    assert (job.status, job.file) == ("CANCELLED", None)


def test_an_erasure_takes_files_back_and_stops_what_is_being_written(tenant, actor):
    ann, ben = make_customer(email="ann@example.org"), make_customer()
    done = request_list_export(people=everybody(), filters={"q": ["ann@example.org"]}, actor=actor)
    written(done)
    about_her = request_person_export(customer_id=ann.pk, actor=actor)
    waiting = request_list_export(people=everybody(), filters={}, actor=actor)

    erase_profile(customer_id=ann.pk, actor=actor)

    done.refresh_from_db()
    waiting.refresh_from_db()
    assert (done.file, done.filters, waiting.status) == (None, {}, "CANCELLED")
    assert not CustomerExport.objects.filter(pk=about_her.pk).exists()
    again = request_list_export(people=everybody(), filters={}, columns=["id"], actor=actor)
    assert rows_of(written(again)) == [{"id": str(ben.pk)}]


# Over the API


def test_a_list_over_the_api_from_asking_to_the_file(client, tenant, other_tenant, key_for):
    make_customer(first_name="Ann", lifecycle_stage="MEMBER")
    make_customer(first_name="Ben")
    ours, theirs = (
        key_for(tenant, "customers:read", "customers:write"),
        key_for(other_tenant, "customers:read", "customers:write"),
    )
    body = {"filters": {"lifecycleStage": "MEMBER"}, "columns": ["firstName"]}

    answer = client.post(f"{API}exports/", body, content_type="application/json", **ours)
    job = CustomerExport.objects.get()
    early = client.get(f"{answer['Location']}file/", **ours)
    written(job)
    status = client.get(answer["Location"], **ours).json()
    file = client.get(f"{answer['Location']}file/", **ours)

    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    assert early.status_code == 404
    assert (status["status"], status["progress"], status["rowCount"]) == ("SUCCESS", 1.0, 1)
    assert rows_of(b"".join(file.streaming_content)) == [{"firstName": "Ann"}]
    assert "attachment" in file["Content-Disposition"]
    assert client.get(f"{answer['Location']}file/", **theirs).status_code == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"filters": {"shoeSize": 43}}, "filters.shoeSize"),
        ({"filters": {"createdAt__gte": "soon"}}, "filters.createdAt__gte"),
        ({"columns": ["notes"]}, "columns[0]"),
        ({"format": "ZIP"}, "format"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_requests_name_the_field(client, tenant, key_for, body, path):
    make_customer()

    answer = client.post(
        f"{API}exports/",
        body,
        content_type="application/json",
        **key_for(tenant, "customers:write"),
    )

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)
    assert not CustomerExport.objects.exists()


def test_erase_restore_and_delete_over_the_api(client, tenant, other_tenant, key_for):
    ann, ben = make_customer(email="ann@example.org"), make_customer(email="ben@example.org")
    headers = key_for(tenant, "customers:read", "customers:write")
    strangers = key_for(other_tenant, "customers:read", "customers:write")

    def post(what, customer, body=None, keys=headers):
        url = f"{API}customers/{customer.pk}/{what}/"
        return client.post(url, body or {}, content_type="application/json", **keys)

    assert post("erase", ann, keys=strangers).status_code == 404
    assert post("erase", ann, {"reason": "BORED"}).status_code == 400
    client.delete(f"{API}customers/{ann.pk}/", **headers)
    assert post("restore", ann).json()["status"] == "ACTIVE"
    client.delete(f"{API}customers/{ann.pk}/", **headers)
    erased = post("erase", ann, {"reason": "NOT_NEEDED"})
    assert (erased.status_code, erased.json()["profileIds"]) == (200, [str(ann.pk)])
    assert post("erase", ann).json()["code"] == "already_erased"
    assert post("restore", ann).status_code == 409
    assert client.get(f"{API}customers/{ann.pk}/export/", **headers).status_code == 404
    refused = client.patch(
        f"{API}customers/{ben.pk}/", {"email": "Ann@example.org"},
        content_type="application/json", **headers,
    )  # fmt: skip
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "erased")


def test_only_managers_and_owners_of_the_club_may(tenant, other_tenant, as_ben, as_cleo):
    marketer = signed_in(make_user("mia@oakhill.test", Role.MARKETER, tenant))
    manager = signed_in(make_user("max@oakhill.test", Role.MANAGER, tenant))
    ann, job = make_customer(), make_export()

    def answers(browser):
        erased = browser.post(
            f"/oakhill/api/v1/customers/{ann.pk}/erase/", {}, content_type="application/json"
        )
        return erased.status_code, browser.get(f"/oakhill/api/v1/exports/{job.pk}/").status_code

    assert answers(as_ben) == answers(marketer) == (403, 403)
    assert answers(as_cleo) == (404, 404)
    # A session needs its CSRF token, which the test's browser does without.
    assert answers(manager) == (200, 200)
