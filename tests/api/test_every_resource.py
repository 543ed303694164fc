"""What holds for every resource of the API, whoever wrote it."""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_site.access.services import SCOPES
from crm_site.tenancy.context import tenant_scope
from tests.api.resources import MAKERS, all_resources

QUERY_COUNTS = Path("tests/architecture/query_counts.json")

resources = pytest.mark.parametrize("resource", all_resources(), ids=str)
writable = pytest.mark.parametrize(
    "resource", [found for found in all_resources() if "post" in found.methods], ids=str
)


def make_row(resource):
    assert resource.path in MAKERS, f"Tell tests/api/resources.py how to make one of {resource}."
    return MAKERS[resource.path]()


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


@resources
def test_without_a_key_nobody_comes_in(client, tenant, resource):
    row = make_row(resource)

    for url in (resource.url, f"{resource.url}{row.pk}/"):
        assert client.get(url).status_code == 401
        assert client.get(f"/{tenant.pk}{url}").status_code == 404


@resources
def test_a_key_needs_the_scope_to_read(client, tenant, key_for, resource):
    row = make_row(resource)
    scope = resource.scope("read")
    others = key_for(tenant, *(SCOPES - {scope}))

    for url in (resource.url, f"{resource.url}{row.pk}/"):
        refused = client.get(url, **others)
        assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
        assert scope in refused.json()["detail"]


@writable
def test_a_key_needs_the_scope_to_write(client, tenant, key_for, resource):
    scope = resource.scope("write")
    headers = key_for(tenant, *(SCOPES - {scope}))

    refused = client.post(resource.url, {}, content_type="application/json", **headers)

    assert refused.status_code == 403
    assert scope in refused.json()["detail"]


@resources
def test_a_key_reads_its_own_tenant_and_nothing_else(
    client, tenant, other_tenant, key_for, resource
):
    row = str(make_row(resource).pk)
    ours, theirs = key_for(tenant, *SCOPES), key_for(other_tenant, *SCOPES)

    assert row in ids(client.get(resource.url, **ours))
    assert row not in ids(client.get(resource.url, **theirs))
    assert client.get(f"{resource.url}{row}/", **ours).json()["id"] == row
    for method in ("get", "put", "patch", "delete"):
        answer = getattr(client, method)(f"{resource.url}{row}/", **theirs)
        assert answer.status_code in {404, 405}, method
    for name in resource.lists:
        assert client.get(f"{resource.url}{row}/{name}/", **ours).status_code == 200
        assert client.get(f"{resource.url}{row}/{name}/", **theirs).status_code == 404


@resources
def test_staff_read_their_own_club(client, tenant, other_tenant, ann, cleo, resource):
    row = str(make_row(resource).pk)

    client.force_login(ann)
    assert row in ids(client.get(f"/{tenant.pk}{resource.url}"))
    client.force_login(cleo)
    assert client.get(f"/{tenant.pk}{resource.url}").status_code == 404
    assert row not in ids(client.get(f"/{other_tenant.pk}{resource.url}"))
    assert client.get(f"/{other_tenant.pk}{resource.url}{row}/").status_code == 404


@writable
def test_who_only_reads_cannot_write(client, tenant, ben, resource):
    client.force_login(ben)
    url = f"/{tenant.pk}{resource.url}"

    answer = client.post(url, {}, content_type="application/json")

    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"


@writable
def test_a_field_nobody_knows_is_refused(client, tenant, key_for, resource):
    headers = key_for(tenant, *SCOPES)

    answer = client.post(
        resource.url, {"colour": "red"}, content_type="application/json", **headers
    )

    assert answer.status_code == 400
    faults = [(fault["path"], fault["code"]) for fault in answer.json()["errors"]]
    assert ("colour", "unknown_field") in faults


@writable
@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "{"])
def test_a_body_that_is_no_object_is_refused(client, tenant, key_for, resource, body):
    headers = key_for(tenant, *SCOPES)

    answer = client.post(resource.url, body, content_type="application/json", **headers)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@resources
def test_a_parameter_nobody_knows_is_refused(client, tenant, key_for, resource):
    answer = client.get(f"{resource.url}?colour=red", **key_for(tenant, *SCOPES))

    assert answer.status_code == 400
    assert answer.json()["errors"][0] == {
        "path": "colour",
        "code": "unknown_parameter",
        "message": "There is no parameter of this name.",
    }


def test_no_token_is_ever_shown(client, tenant, key_for):
    make_row(next(found for found in all_resources() if found.path == "social/connections"))

    answer = client.get("/api/v1/social/connections/", **key_for(tenant, "social:read"))

    assert "oken" not in answer.content.decode().replace("tokenExpiry", "")


@resources
def test_a_list_costs_the_same_queries_whatever_its_length(client, tenant, key_for, resource):
    headers = key_for(tenant, *SCOPES)
    client.get(resource.url, **headers)  # Notes the key's use.
    pinned = json.loads(QUERY_COUNTS.read_text())

    counts = []
    for _ in range(2):
        make_row(resource)
        with tenant_scope(""), CaptureQueriesContext(connection) as queries:
            client.get(resource.url, **headers)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))

    assert counts == [pinned[f"GET {resource.url}"]] * 2, [query["sql"] for query in queries]
