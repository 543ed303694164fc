"""Segments over HTTP."""

import pytest
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from segments import tasks
from segments.models import CustomerSegment, SegmentRefresh
from segments.services.refreshing import run_refresh
from tests.factories import make_customer, make_segment

URL = "/api/v1/segments/"
JSON = {"content_type": "application/json"}
CITY = {"field": "city", "operator": "equals", "value": "Durban"}


@pytest.fixture
def headers(tenant, key_for):
    return key_for(tenant, "segments:read", "segments:write")


@pytest.fixture(autouse=True)
def nudged(monkeypatch):
    calls = []
    monkeypatch.setattr(tasks.refresh_one, "delay", lambda *args: calls.append(args))
    return calls


def post(client, path, headers, values=None):
    return client.post(f"{URL}{path}", values or {}, **JSON, **headers)


def test_a_segment_is_made_refreshed_and_read(
    client, headers, tenant, nudged, django_capture_on_commit_callbacks
):
    ann, _ = make_customer(city="durban"), make_customer(city="Paarl")

    with django_capture_on_commit_callbacks(execute=True):
        made = post(client, "", headers, {"name": "Durban", "criteria": [CITY]})
    assert made.status_code == 201, made.json()
    segment_id = made.json()["id"]
    queued = SegmentRefresh.objects.get()
    assert nudged == [(tenant.pk, str(queued.pk))]
    again = post(client, f"{segment_id}/refresh/", headers)
    assert (again.status_code, again.json()) == (202, {"id": str(queued.pk), "status": "PENDING"})
    run_refresh(refresh_id=queued.pk, now=timezone.now())

    shown = client.get(f"{URL}{segment_id}/", **headers).json()
    assert (shown["memberCount"], shown["criteria"], shown["type"]) == (1, [CITY], "DYNAMIC")
    assert shown["lastRefreshedAt"]
    members = client.get(f"{URL}{segment_id}/members/", **headers).json()["results"]
    assert [row["customerId"] for row in members] == [str(ann.pk)]
    history = client.get(f"{URL}{segment_id}/history/", **headers).json()["results"]
    assert [(row["customerId"], row["move"]) for row in history] == [(str(ann.pk), "ENTERED")]
    refreshes = client.get(f"{URL}{segment_id}/refreshes/", **headers).json()["results"]
    assert [(row["status"], row["enteredCount"]) for row in refreshes] == [("SUCCESS", 1)]
    hers = client.get(f"/api/v1/customers/{ann.pk}/segments/", **headers).json()["results"]
    assert [row["segmentId"] for row in hers] == [segment_id]


def test_wrong_rules_are_400_with_the_path(client, headers):
    wrong = {"combinator": "AND", "rules": [CITY | {"operator": "near"}]}

    for path, body in (("", {"name": "X"}), ("preview/", {})):
        answer = post(client, path, headers, body | {"criteria": [CITY, wrong]})

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["path"] == "rules[1].rules[0].operator"
    for body in ({"name": "X"}, {"name": "X", "criteria": []}, {"name": "X", "criteria": {}}):
        assert post(client, "", headers, body).json()["errors"][0]["path"] == "rules"


def test_rules_are_checked_when_changed_too(client, headers):
    segment = make_segment(CITY)
    circle = {"field": "segment", "operator": "in", "value": [str(segment.pk)]}

    answer = client.patch(f"{URL}{segment.pk}/", {"criteria": [circle]}, **JSON, **headers)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "rules[0].value"


def test_a_preview_counts_and_saves_nothing(client, headers):
    ann = make_customer(city="Durban", display_name="Ann Lee")
    before = CustomerSegment.objects.count()

    found = post(client, "preview/", headers, {"criteria": [CITY]}).json()

    assert (found["count"], found["isExact"]) == (1, True)
    assert found["reachable"] == {"EMAIL": 0, "SMS": 0, "PUSH": 0, "WHATSAPP": 0}
    assert found["rules"] == [
        {"path": "rules[0]", "sentence": "City is “Durban”", "count": 1, "kept": 1}
    ]
    assert (found["total"], found["groups"]) == (1, [])
    assert found["sample"] == [{"id": str(ann.pk), "name": "Ann Lee"}]
    assert found["sentence"] == "Customers whose city is “Durban”."
    assert CustomerSegment.objects.count() == before


def test_members_by_hand(client, headers):
    ann, ben = make_customer(), make_customer()
    made = post(client, "", headers, {"name": "By hand", "type": "STATIC"}).json()
    url = f"{made['id']}/members/"

    added = post(client, url, headers, {"add": [str(ann.pk), str(ben.pk)]})
    removed = post(client, url, headers, {"remove": [str(ann.pk)]})

    assert (added.json(), removed.json()) == (
        {"added": 2, "removed": 0}, {"added": 0, "removed": 1})  # fmt: skip
    rows = client.get(f"{URL}{url}", **headers).json()["results"]
    assert [row["customerId"] for row in rows] == [str(ben.pk)]
    assert rows[0]["addedBy"].startswith("key:")
    refused = post(client, f"{make_segment(CITY).pk}/members/", headers, {"add": [str(ann.pk)]})
    assert refused.status_code == 409


def test_why_somebody_is_in_it(client, headers):
    ann, segment = make_customer(city="Durban", handicap="12.5"), make_segment(
        CITY, {"field": "handicap", "operator": "lessThan", "value": 10})  # fmt: skip

    why = client.get(f"{URL}{segment.pk}/explain/?customer={ann.pk}", **headers).json()

    assert (why["isMember"], why["matches"]) == (False, False)
    assert [(rule["path"], rule["met"], rule["value"]) for rule in why["rules"]] == [
        ("rules[0]", True, "Durban"), ("rules[1]", False, "12.5")]  # fmt: skip
    assert client.get(f"{URL}{segment.pk}/explain/?customer=7", **headers).status_code == 400


def test_fairways_own_segments_are_neither_renamed_nor_deleted(client, headers):
    own = CustomerSegment.objects.get(name="All Customers")

    renamed = client.patch(f"{URL}{own.pk}/", {"name": "Mine"}, **JSON, **headers)
    assert (renamed.status_code, renamed.json()["errors"][0]["path"]) == (409, "name")
    assert client.delete(f"{URL}{own.pk}/", **headers).status_code == 409
    mine = make_segment(CITY)
    assert client.delete(f"{URL}{mine.pk}/", **headers).status_code == 204
    assert client.get(f"{URL}{mine.pk}/", **headers).status_code == 404


def test_another_clubs_segment_is_not_there(client, headers, other_tenant, key_for):
    with tenant_scope(other_tenant.pk):
        theirs, stranger = make_segment(CITY), make_customer(city="Durban")
    mine = make_segment(CITY)

    for path in ("", "members/", "history/", "refreshes/", f"explain/?customer={stranger.pk}"):
        assert client.get(f"{URL}{theirs.pk}/{path}", **headers).status_code == 404
    assert post(client, f"{theirs.pk}/refresh/", headers).status_code == 404
    explained = client.get(f"{URL}{mine.pk}/explain/?customer={stranger.pk}", **headers)
    assert explained.status_code == 404
    assert client.get(f"/api/v1/customers/{stranger.pk}/segments/", **headers).status_code == 404
    assert post(client, "preview/", headers, {"criteria": [CITY]}).json()["count"] == 0


def test_keys_need_the_scope(client, tenant, key_for):
    reads, segment = key_for(tenant, "segments:read"), make_segment(CITY)

    assert post(client, "preview/", reads, {"criteria": [CITY]}).status_code == 200
    for path in ("", f"{segment.pk}/refresh/", f"{segment.pk}/members/"):
        assert post(client, path, reads, {"name": "X", "criteria": [CITY]}).status_code == 403
    assert client.get(URL, **key_for(tenant, "customers:read")).status_code == 403


def test_staff_do_what_their_role_allows(client, ann, ben, cleo, tenant):
    segment = make_segment(CITY)
    url = f"/{tenant.pk}{URL}{segment.pk}/"

    for user, status in ((ann, 202), (ben, 403), (cleo, 404)):
        client.force_login(user)
        assert client.post(f"{url}refresh/").status_code == status


def test_a_deleted_customer_has_no_segments_to_show(client, tenant, key_for):
    customer = make_customer(deleted_at=timezone.now(), status="DELETED")

    answer = client.get(
        f"/api/v1/customers/{customer.pk}/segments/", **key_for(tenant, "segments:read")
    )

    assert answer.status_code == 404
