"""Scans for duplicates over HTTP: asked for, looked at, stopped."""

import pytest

from crm_site.tenancy.context import tenant_scope
from customers.models import DuplicateScan

SCANS = "/api/v1/duplicates/scan/"


@pytest.fixture
def caller(client, tenant, key_for):
    return lambda *scopes: key_for(tenant, *scopes)


def test_a_scan_is_accepted_and_shows_how_far_it_is(client, caller):
    headers = caller("customers:read", "customers:write")

    asked = client.post(SCANS, {"kind": "FULL"}, "application/json", **headers)

    assert asked.status_code == 202
    body = asked.json()
    assert (body["status"], body["kind"], body["progress"]) == ("PENDING", "FULL", 0)
    seen = client.get(f"{SCANS}{body['id']}/", **headers)
    assert seen.json()["id"] == body["id"]
    assert seen.json()["remarks"] == []
    assert asked.headers["Location"].endswith(f"{SCANS}{body['id']}/")


def test_a_second_request_is_answered_with_the_scan_under_way(client, caller, other_tenant):
    headers = caller("customers:read", "customers:write")
    first = client.post(SCANS, {}, "application/json", **headers).json()

    second = client.post(SCANS, {}, "application/json", **headers)

    assert (second.status_code, second.json()["id"]) == (202, first["id"])
    with tenant_scope(other_tenant.pk):
        assert not DuplicateScan.objects.exists()


def test_a_scan_that_waits_is_cancelled_at_once(client, caller):
    headers = caller("customers:read", "customers:write")
    scan = client.post(SCANS, {}, "application/json", **headers).json()

    stopped = client.post(f"{SCANS}{scan['id']}/cancel/", **headers)

    assert (stopped.status_code, stopped.json()["status"]) == (200, "CANCELLED")
    assert client.post(SCANS, {}, "application/json", **headers).json()["id"] != scan["id"]


def test_who_may_only_read_may_not_ask(client, caller):
    assert client.post(SCANS, {}, "application/json", **caller("customers:read")).status_code == 403


def test_another_kind_is_refused_by_name(client, caller):
    refused = client.post(SCANS, {"kind": "HALF"}, "application/json", **caller("customers:write"))

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "kind"


def test_another_tenants_scan_is_not_there(client, caller, other_tenant):
    with tenant_scope(other_tenant.pk):
        theirs = DuplicateScan.objects.create(requested_by="user:test")
    headers = caller("customers:read", "customers:write")

    assert client.get(f"{SCANS}{theirs.pk}/", **headers).status_code == 404
    assert client.post(f"{SCANS}{theirs.pk}/cancel/", **headers).status_code == 404
