"""Customers over HTTP: finding them, and what belongs to them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers.choices import CustomerStatus
from customers.models import IdentityAlias
from customers.services.erasure import erase_profile
from tests.factories import (
    make_activity,
    make_customer,
    make_duplicate,
    make_note,
    make_sync_log,
)

URL = "/api/v1/customers/"


@pytest.fixture
def headers(tenant, key_for):
    return key_for(tenant, "customers:read", "customers:write")


@pytest.fixture
def ids(client, headers):
    def read(query=""):
        body = client.get(f"{URL}?{query}", **headers).json()
        return [row["id"] for row in body["results"]]

    return read


def merge(absorbed, survivor):
    absorbed.status, absorbed.merged_into = CustomerStatus.MERGED, survivor
    absorbed.merged_at = timezone.now()
    absorbed.save()


def test_a_customer_reads_as_the_data_model_has_it(client, headers):
    customer = make_customer(
        date_of_birth="1980-02-29",
        handicap="12.4",
        tags=["vip"],
        external_ids={"golf_rsa_id": {"Any_Key": 1}},
    )

    body = client.get(f"{URL}{customer.pk}/", **headers).json()

    assert (body["dateOfBirth"], body["handicap"], body["tags"]) == ("1980-02-29", "12.4", ["vip"])
    assert body["externalIds"] == {"golf_rsa_id": {"Any_Key": 1}}
    assert body["createdAt"].endswith("Z")
    assert (body["emailOptIn"], body["mergedIntoId"], body["city"]) == (False, None, None)
    assert "searchVector" not in body


def test_filters_by_tags_stage_and_time(ids, tenant, other_tenant):
    vip = make_customer(tags=["vip", "early"], lifecycle_stage="MEMBER")
    make_customer(tags=["vip"])
    with tenant_scope(other_tenant.pk):
        make_customer(tags=["vip", "early"])
    booked = make_customer(last_booking_at="2026-05-01T00:00:00Z")

    assert ids("tags=vip&tags=early") == [str(vip.pk)]
    assert ids("lifecycleStage=MEMBER&tags=vip") == [str(vip.pk)]
    assert ids("lastBookingAt__gte=2026-04-30T00:00:00Z") == [str(booked.pk)]
    assert ids("lastBookingAt__isnull=false") == [str(booked.pk)]
    assert ids("emailOptIn=true") == []
    assert len(ids("emailOptIn=false")) == 3


@pytest.mark.parametrize("address", ["ann@example.com", "Ann@Example.com", "a.lee@example.com"])
def test_any_address_leads_to_the_live_customer(ids, tenant, address):
    survivor = make_customer(email="ann@example.com")
    merged = make_customer(email=None)
    merge(merged, survivor)
    IdentityAlias.objects.create(customer=merged, type="EMAIL", value="a.lee@example.com")
    make_customer()

    assert ids(f"email={address}") == [str(survivor.pk)]


def test_a_phone_number_is_read_as_people_write_it(ids, tenant):
    customer = make_customer(phone_number="+27825550101")

    assert ids("phoneNumber=082 555 0101") == [str(customer.pk)]
    assert ids("phoneNumber=none") == []


def test_blank_values_come_last_whichever_way_and_pages_cross_into_them(client, headers, tenant):
    now = timezone.now()
    seen = [make_customer(last_activity_at=now - timedelta(days=n)) for n in range(3)]
    unseen = [make_customer() for _ in range(3)]

    def walk(ordering):
        url, found = f"{URL}?limit=2&ordering={ordering}", []
        while url:
            body = client.get(url, **headers).json()
            found += [row["id"] for row in body["results"]]
            url = body["next"]
        return found

    ascending = [*reversed(seen), *unseen]
    descending = [*seen, *reversed(unseen)]
    assert walk("lastActivityAt") == [str(row.pk) for row in ascending]
    assert walk("-lastActivityAt") == [str(row.pk) for row in descending]


def test_pages_lead_back_over_the_blank_ones(client, headers, tenant):
    make_customer(last_activity_at=timezone.now())
    for _ in range(3):
        make_customer()
    first = client.get(f"{URL}?limit=2&ordering=-lastActivityAt", **headers).json()
    second = client.get(first["next"], **headers).json()

    back = client.get(second["previous"], **headers).json()

    assert back["results"] == first["results"]
    assert (back["previous"], second["next"]) == (None, None)


def test_a_merged_profile_is_read_by_its_id_and_listed_only_where_asked_for(client, headers, ids):
    survivor, absorbed = make_customer(), make_customer(email=None)
    merge(absorbed, survivor)

    body = client.get(f"{URL}{absorbed.pk}/", **headers).json()

    assert body["mergedIntoId"] == str(survivor.pk)
    assert ids() == [str(survivor.pk)]
    assert ids("status=MERGED") == [str(absorbed.pk)]


def test_the_timeline_puts_activities_and_notes_in_one_order(client, headers, tenant):
    customer, now = make_customer(), timezone.now()
    for hours in (1, 3):
        make_activity(customer=customer, occurred_at=now - timedelta(hours=hours))
    make_note(customer, created_at=now - timedelta(hours=2))
    make_note(customer, is_private=True, created_by="user:somebody-else")
    make_activity()

    url, kinds = f"{URL}{customer.pk}/timeline/?limit=2", []
    while url:
        body = client.get(url, **headers).json()
        kinds += [row["kind"] for row in body["results"]]
        url = body["next"]

    assert kinds == ["activity", "note", "activity"]


def test_the_timeline_refuses_what_it_does_not_know(client, headers, tenant):
    url = f"{URL}{make_customer().pk}/timeline/"

    for query in ("cursor=x", "category=GARDENING", "limit=0", "count=true"):
        assert client.get(f"{url}?{query}", **headers).status_code == 400


def test_a_note_is_written_under_its_customer(client, headers, tenant):
    customer = make_customer()
    url = f"{URL}{customer.pk}/notes/"

    answer = client.post(
        url, {"content": "Plays on Fridays."}, content_type="application/json", **headers
    )

    assert answer.status_code == 201
    assert answer.json()["customerId"] == str(customer.pk)
    assert answer.json()["createdBy"].startswith("key:")
    assert [row["id"] for row in client.get(url, **headers).json()["results"]] == [
        answer.json()["id"]
    ]


def test_a_private_note_is_its_authors_alone(client, headers, key_for, tenant):
    customer = make_customer()
    body = {"customerId": str(customer.pk), "content": "Between us.", "isPrivate": True}
    note = client.post("/api/v1/notes/", body, content_type="application/json", **headers).json()
    other = key_for(tenant, "customers:read", "customers:write")

    assert client.get(f"/api/v1/notes/{note['id']}/", **headers).status_code == 200
    assert client.get(f"/api/v1/notes/{note['id']}/", **other).status_code == 404
    assert client.delete(f"/api/v1/notes/{note['id']}/", **other).status_code == 404
    assert client.get(f"{URL}{customer.pk}/notes/", **other).json()["results"] == []


def test_an_activity_is_always_ours(client, headers, tenant):
    body = {
        "customerId": str(make_customer().pk),
        "type": "PHONE_CALL",
        "category": "SUPPORT",
        "title": "Called about the draw",
        "sourceService": "scl",
        "occurredAt": "2026-11-22T08:30:00+02:00",
    }

    answer = client.post("/api/v1/activities/", body, content_type="application/json", **headers)

    assert answer.status_code == 201, answer.json()
    assert answer.json()["sourceService"] == "crm"
    assert answer.json()["occurredAt"] == "2026-11-22T06:30:00Z"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_an_activity_is_never_changed(client, headers, tenant, method):
    url = f"/api/v1/activities/{make_activity().pk}/"

    assert getattr(client, method)(url, **headers).status_code == 405


def test_search_finds_by_beginnings_of_names(ids, tenant, other_tenant):
    customer = make_customer(first_name="Thandiwe", last_name="Mokoena")
    make_customer()
    with tenant_scope(other_tenant.pk):
        make_customer(first_name="Thandiwe", last_name="Mokoena")

    assert ids("search=thand mok") == [str(customer.pk)]
    assert ids("search=nobody") == []


@pytest.fixture
def send(client, headers):
    def call(method, url, body):
        return getattr(client, method)(url, body, content_type="application/json", **headers)

    return call


def test_a_customer_is_made_changed_and_hidden(client, headers, send):
    made = send("post", URL, {"email": " Ann@Example.com ", "phoneNumber": "082 555 0101"})
    url = f"{URL}{made.json()['id']}/"
    changed = send("patch", url, {"city": "Durban", "handicap": "12.4", "firstName": ""})
    gone = client.delete(url, **headers)

    assert made.status_code == 201
    assert (made.json()["email"], made.json()["phoneNumber"]) == ("ann@example.com", "+27825550101")
    assert (changed.json()["city"], changed.json()["handicap"]) == ("Durban", "12.4")
    assert changed.json()["firstName"] is None
    assert gone.status_code == 204
    assert client.get(url, **headers).status_code == 404


def test_an_identifier_of_somebody_else_is_409_and_names_the_field(send, tenant):
    make_customer(email="ann@example.com")
    other = make_customer()

    answers = [
        send("post", URL, {"email": "ann@example.com"}),
        send("patch", f"{URL}{other.pk}/", {"email": "ann@example.com"}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
        assert answer.json()["errors"][0]["path"] == "email"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("emailOptIn", True, "read_only"),
        ("emailOptInAt", "2026-01-01T00:00:00Z", "read_only"),
        ("engagementScore", 90, "read_only"),
        ("mergedIntoId", None, "read_only"),
        ("email_opt_in", True, "unknown_field"),
        ("tenantId", "pinecrest", "unknown_field"),
        ("searchVector", "x", "unknown_field"),
        ("firstName", 7, "invalid"),
        ("firstName", "x" * 101, "max_length"),
        ("phoneNumber", "12", "invalid"),
        ("phoneNumber", "no phone", "invalid"),
        ("email", "nobody", "invalid"),
        ("sclMemberId", "1042", "invalid"),
        ("sclMemberId", 2**31, "max_value"),
        ("lifecycleStage", "GARDENER", "invalid_choice"),
        ("status", "MERGED", "invalid_choice"),
        ("tags", "vip", "not_a_list"),
        ("dateOfBirth", "yesterday", "invalid"),
        ("handicap", "12.45", "max_decimal_places"),
        ("timeZone", "Mars/Olympus", "invalid"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(send, tenant, field, value, code):
    answer = send("post", URL, {"lastName": "Lee", field: value})

    assert answer.status_code == 400, answer.json()
    assert [(fault["path"], fault["code"]) for fault in answer.json()["errors"]] == [(field, code)]


def test_nothing_of_a_refused_change_is_kept(send, tenant):
    customer = make_customer(city="Durban")

    send("patch", f"{URL}{customer.pk}/", {"city": "Cape Town", "phoneNumber": "12"})

    customer.refresh_from_db()
    assert customer.city == "Durban"


def test_a_batch_answers_each_profile_in_order(send, tenant):
    known = make_customer(email="ann@example.com", city="Durban")
    body = [
        {"email": "ann@example.com", "city": "Cape Town"},
        {"email": "new@example.com"},
        {"email": "ann@example.com", "city": "Cape Town"},
        {"emailOptIn": True, "email": "x@example.com"},
        {"city": "Durban"},
        7,
    ]

    answer = send("post", f"{URL}batch/", body)

    assert answer.status_code == 200, answer.json()
    results = answer.json()["results"]
    assert [row["index"] for row in results] == list(range(6))
    assert [row["status"] for row in results] == [
        *("updated", "created", "unchanged", "rejected", "rejected", "rejected")
    ]
    assert results[0]["id"] == str(known.pk)
    assert results[3]["errors"][0] == {
        "path": "emailOptIn",
        "code": "read_only",
        "message": "Consent belongs to the Messaging service.",
    }


def test_a_batch_refuses_who_was_erased_and_takes_the_rest(send, tenant, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        make_customer(email="ben@example.com")
    gone = make_customer(email="ann@example.com", scl_member_id=1042)
    known = make_customer(email="zoe@example.com")
    erase_profile(customer_id=gone.pk, actor=actor)
    body = [
        {"email": " ANN@example.com ", "city": "Durban"},
        {"email": "new@example.com", "sclMemberId": 1042},
        {"email": "zoe@example.com", "city": "Paarl"},
        {"email": "ben@example.com"},
    ]

    results = send("post", f"{URL}batch/", body).json()["results"]

    assert [row["status"] for row in results] == ["rejected", "rejected", "updated", "created"]
    faults = [[(each["path"], each["code"]) for each in row["errors"]] for row in results[:2]]
    assert faults == [[("email", "erased")], [("sclMemberId", "erased")]]
    assert send("post", URL, {"email": "ann@example.com"}).status_code == 400
    gone.refresh_from_db()
    known.refresh_from_db()
    assert (gone.email, gone.city, known.city) == (None, None, "Paarl")


@pytest.mark.parametrize("body", [{}, [], [{"lastName": "Lee"}] * 1_001])
def test_a_batch_has_one_to_a_thousand_profiles(send, tenant, body):
    assert send("post", f"{URL}batch/", body).status_code == 400


def test_a_pair_is_ruled_on(send, tenant, key_for):
    url = f"/api/v1/duplicates/{make_duplicate().pk}/resolve/"

    refused = send("post", url, {"resolution": "MERGED"})
    answer = send("post", url, {"resolution": "NOT_DUPLICATE", "notes": "Father and son."})

    assert refused.status_code == 400
    assert (answer.json()["resolution"], answer.json()["notes"]) == (
        "NOT_DUPLICATE",
        "Father and son.",
    )
    assert answer.json()["resolvedBy"].startswith("key:")


def test_an_event_that_failed_is_replayed(client, tenant, key_for):
    failed = make_sync_log(status="FAILED", attempts=8, error="No.")
    done = make_sync_log(status="SUCCESS")
    headers = key_for(tenant, "events:write")

    answers = [
        client.post(f"/api/v1/sync-log/{row.pk}/replay/", **headers) for row in (failed, done)
    ]

    assert [answer.status_code for answer in answers] == [202, 409]
    assert (answers[0].json()["status"], answers[0].json()["attempts"]) == ("PENDING", 0)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"externalIds": "MCA-1"}, "externalIds"),
        ({"externalIds": ["MCA-1"]}, "externalIds"),
        ({"sclMemberId": -1}, "sclMemberId"),
        ({"latitude": 91}, "latitude"),
        ({"handicap": "99"}, "handicap"),
        ({"country": "Z1"}, "country"),
        ({"tags": ["a"] * 101}, "tags"),
    ],
)
def test_one_customer_is_read_as_strictly_as_a_batch(client, headers, body, path):
    customer = make_customer()

    one = client.patch(f"{URL}{customer.pk}/", body, content_type="application/json", **headers)
    many = client.post(
        f"{URL}batch/", [{"email": customer.email, **body}], "application/json", **headers
    )

    assert (one.status_code, one.json()["errors"][0]["path"]) == (400, path)
    assert many.json()["results"][0]["errors"][0]["path"] == path


def test_one_customer_is_spelled_as_in_a_batch(client, headers):
    sent = {"firstName": "  Ann ", "country": "za", "tags": ["vip", "vip", " early "]}

    body = client.post(URL, sent, content_type="application/json", **headers).json()

    assert (body["firstName"], body["country"], body["tags"]) == ("Ann", "ZA", ["vip", "early"])


def test_a_customer_nothing_identifies_is_400(client, headers):
    answer = client.post(URL, {}, content_type="application/json", **headers)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_identity")


def test_what_is_not_there_is_400_where_a_field_names_it(client, headers):
    gone = make_customer()
    client.delete(f"{URL}{gone.pk}/", **headers)
    note = {"customerId": str(gone.pk), "content": "Called"}
    activity = {"customerId": str(gone.pk), "type": "CALL", "category": "SYSTEM", "title": "Call"}

    answers = [
        client.post("/api/v1/notes/", note, content_type="application/json", **headers),
        client.post("/api/v1/activities/", activity, content_type="application/json", **headers),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "customerId")
