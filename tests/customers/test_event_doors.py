"""What the two doors for events take, and what they refuse."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from crm_site.access.services import rotate_webhook_secret
from crm_site.audit.actor import Actor
from crm_site.tenancy.context import tenant_scope
from customers.choices import SyncStatus
from customers.models import SyncLog
from tests.customers.conftest import event

EVENTS = "/api/v1/events/"


@pytest.fixture
def post(client, tenant, key_for):
    """Send to the API door with a key of the tenant."""

    def send(body, *, content_type="application/json", headers=None):
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = key_for(tenant, "events:write") if headers is None else headers
        with tenant_scope(""):
            return client.post(EVENTS, raw, content_type=content_type, **headers)

    return send


def test_a_signed_event_is_stored_before_its_sender_is_answered(door):
    sent = event("teetime", "booking.created", "2024-11-20T08:30:00.5+02:00")

    answer = door().send(sent)

    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    row = SyncLog.objects.get()
    assert (row.source_service, row.event_type, row.event_id) == (
        "teetime",
        "booking.created",
        sent["id"],
    )
    assert (row.status, row.event_payload) == (SyncStatus.PENDING, sent)
    assert row.occurred_at == datetime(2024, 11, 20, 6, 30, 0, 500_000, tzinfo=UTC)


def test_whoever_cannot_sign_hears_one_constant_answer(door, client, other_tenant):
    ours, body = door(), json.dumps(event()).encode()
    theirs = type(ours)(client, other_tenant, "teetime")
    late = datetime.now(UTC) - timedelta(minutes=6)
    attempts = [
        ours.send(body, headers={}),
        ours.send(body, at=late),
        ours.send(body, at=datetime.now(UTC) + timedelta(minutes=6)),
        ours.send(body, secret=theirs.secret),
        ours.send(body, headers={**ours.sign(body), "webhook-signature": "v1,AAAA"}),
        ours.send(body, headers={**ours.sign(body), "webhook-signature": "nonsense"}),
        ours.send(body, headers={**ours.sign(body), "webhook-id": "another"}),
        ours.send(body + b" ", headers=ours.sign(body)),
        ours.send(b"\xff\xfe", headers=ours.sign(b"x")),
        client.post("/webhooks/019aaa00-0000-7000-8000-000000000000/", body, "application/json"),
        client.post("/webhooks/nobody/", body, "application/json"),
    ]

    assert {answer.status_code for answer in attempts} == {401}
    assert len({answer.content for answer in attempts}) == 1
    assert SyncLog.objects.count() == 0


def test_both_secrets_are_taken_while_one_rotates(door):
    teetime = door()
    with transaction.atomic():
        fresh = rotate_webhook_secret(endpoint_id=teetime.endpoint.pk, actor=Actor("user:test"))

    assert teetime.send(event()).status_code == 202
    assert teetime.send(event(), secret=fresh).status_code == 202


def test_a_webhook_writes_into_its_own_tenant_only(door, other_tenant):
    answer = door().send([event() | {"tenantid": "pinecrest"}, event() | {"tenantid": "oakhill"}])

    assert [item["code"] for item in answer.json()["rejected"]] == ["tenant_mismatch"]
    assert SyncLog.objects.count() == 1
    with tenant_scope(other_tenant.pk):
        assert SyncLog.objects.count() == 0


def test_an_endpoint_takes_events_of_its_own_source_only(door):
    answer = door("scl").send(event("teetime"))

    assert answer.json()["rejected"][0]["code"] == "source_mismatch"


def test_one_id_may_be_used_by_two_tenants(door, client, other_tenant):
    sent = event()

    first = door().send(sent)
    second = type(door())(client, other_tenant, "teetime").send(sent)

    assert first.json()["accepted"] == second.json()["accepted"] == 1


BAD_EVENTS = {
    "not an object": ("invalid", 7),
    "no specversion": ("invalid_specversion", {"specversion": None}),
    "another specversion": ("invalid_specversion", {"specversion": "0.3"}),
    "no id": ("invalid_id", {"id": ""}),
    "an id that is a number": ("invalid_id", {"id": 7}),
    "an id too long": ("invalid_id", {"id": "x" * 256}),
    "a source too long": ("invalid_source", {"source": "x" * 33}),
    "a type too long": ("invalid_type", {"type": "x" * 129}),
    "no time": ("invalid_time", {"time": None}),
    "a time without an offset": ("invalid_time", {"time": "2024-11-20T06:30:00"}),
    "a day without a time": ("invalid_time", {"time": "2024-11-20"}),
    "a time that is none": ("invalid_time", {"time": "2024-13-40T06:30:00Z"}),
    "a time before the calendar": ("invalid_time", {"time": "0001-01-01T00:00:00+14:00"}),
    "a time far ahead": ("invalid_time", {"time": "2999-01-01T00:00:00Z"}),
    "data that is a list": ("invalid_data", {"data": []}),
    "no data": ("invalid_data", {"data": None}),
    "data that is no JSON": ("invalid_datacontenttype", {"datacontenttype": "text/xml"}),
    "a NUL in a text": ("invalid_text", {"data": {"course": "a\0b"}}),
    "a NUL in a name": ("invalid_text", {"data": {"a\0b": 1}}),
    "half a surrogate pair": ("invalid_text", {"data": {"course": "\ud83d"}}),
    "another tenant": ("tenant_mismatch", {"tenantid": "pinecrest"}),
}


@pytest.mark.parametrize(("code", "change"), BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_a_bad_event_is_refused_by_its_place_and_costs_no_other(post, code, change):
    bad = event() | change if isinstance(change, dict) else change

    answer = post([event(), bad, event()])

    assert answer.status_code == 202, answer.content
    body = answer.json()
    assert (body["accepted"], [item["index"] for item in body["rejected"]]) == (2, [1])
    assert body["rejected"][0]["code"] == code
    assert SyncLog.objects.count() == 2


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "9" * 5_000])
def test_a_number_nobody_can_store_costs_its_own_event_only(post, number):
    good = json.dumps(event())
    bad = json.dumps(event(price="HERE")).replace('"HERE"', number)

    answer = post(f"[{bad},{good}]")

    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["code"] == "invalid_number"
    assert "data.price" in answer.json()["rejected"][0]["message"]


def nested(levels):
    return "[" * levels + "]" * levels


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"id": "\xff"}',
    "a text": b'"event"',
    "a number": b"7",
    "too deep to read": nested(100_000).encode(),
    "one event nested too deep": json.dumps(event(a="HERE")).replace('"HERE"', nested(40)).encode(),
    "too many": json.dumps([{}] * 1_001).encode(),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_body_is_400_with_its_reason(post, body):
    answer = post(body)

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert SyncLog.objects.count() == 0


def test_an_event_nested_too_deep_costs_no_other(post):
    deep = json.dumps(event(a="HERE")).replace('"HERE"', nested(40))

    answer = post(f"[{deep},{json.dumps(event())}]")

    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["code"] == "too_deep"


def test_a_body_over_5_mib_is_413_at_both_doors(post, door):
    body = json.dumps(event(filler="x" * 5 * 1024 * 1024)).encode()

    assert post(body).status_code == 413
    assert door().send(body).status_code == 413
    assert SyncLog.objects.count() == 0


def test_a_repeat_is_acknowledged_and_changes_nothing(post):
    sent = event(course="Main", players=4)
    again = dict(reversed(sent.items()))

    first, second = post(sent), post([again])

    assert first.json()["accepted"] == 1
    assert second.json() == {"accepted": 0, "duplicates": 1, "rejected": []}
    assert SyncLog.objects.get().conflict_count == 0


def test_the_same_id_with_another_body_is_409_and_kept_as_evidence(post):
    sent = event(course="Main")
    post(sent)

    answers = [post(sent | {"data": {"course": "East"}}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].json()["code"] == "conflict"
    row = SyncLog.objects.get()
    assert (row.conflict_count, row.event_payload) == (2, sent)
    assert row.conflict_payload["data"] == {"course": "East"}


def test_a_conflict_in_an_array_is_one_refused_item(door):
    sent = event()

    answer = door().send([sent, sent, sent | {"data": {}}, event()])

    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (2, 1)
    assert [(item["index"], item["code"]) for item in answer.json()["rejected"]] == [
        (2, "conflict")
    ]
    assert SyncLog.objects.get(event_id=sent["id"]).conflict_count == 1


def test_a_conflict_is_seen_after_the_payload_is_gone(post):
    sent = event()
    post(sent)
    SyncLog.objects.update(event_payload=None)

    assert post(sent).json()["duplicates"] == 1
    assert post(sent | {"data": {}}).status_code == 409


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"],
)
def test_the_api_door_takes_the_content_types_of_cloudevents(post, content_type):
    assert post([event()], content_type=content_type).status_code == 202


def test_the_api_door_asks_for_its_own_scope(post, tenant, other_tenant, key_for):
    assert post(event(), headers={}).status_code == 401
    assert post(event(), headers=key_for(tenant, "customers:write")).status_code == 403
    assert SyncLog.objects.count() == 0

    assert post(event(), headers=key_for(other_tenant, "events:write")).status_code == 202
    assert SyncLog.objects.count() == 0


def test_a_thousand_events_are_stored_with_as_many_statements_as_ten(
    tenant, django_assert_num_queries
):
    from customers.sync.ingest import receive

    for size in (10, 999):
        with django_assert_num_queries(4):
            sent = [event() for _ in range(size)]
            receive([*sent, sent[0] | {"data": {}}])


def test_a_signed_body_that_nobody_can_read_is_400_and_not_401(door):
    ours, raw = door(), b"\xff\xfe{}"
    headers = ours.sign(b"")
    key = base64.b64decode(ours.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
    digest = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()

    answer = ours.send(raw, headers={**headers, "webhook-signature": f"v1,{digest}"})

    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


def test_one_good_signature_among_others_is_enough(door):
    ours, raw = door(), json.dumps(event()).encode()
    headers = ours.sign(raw)
    several = f"nonsense v1a,AAAA v1,!!!  {headers['webhook-signature']}"

    answer = ours.send(raw, headers={**headers, "webhook-signature": several})

    assert answer.status_code == 202
