"""What a refused request is told."""

import json

import pytest

from tests.factories import make_activity

URL = "/api/v1/activities/"


@pytest.fixture
def headers(tenant, key_for):
    return key_for(tenant, "customers:read", "customers:write")


def problem(answer):
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    return body["code"]


def test_without_a_key_it_is_401_and_says_how_to_come_in(client, tenant):
    answer = client.get(URL)

    assert (answer.status_code, problem(answer)) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_an_unknown_key_is_401(client, tenant):
    answer = client.get(URL, HTTP_AUTHORIZATION="Bearer fw_0123456789ab_secret")

    assert (answer.status_code, problem(answer)) == (401, "authentication_failed")


def test_a_key_without_the_scope_is_403_and_told_which(client, tenant, key_for):
    answer = client.get(URL, **key_for(tenant, "segments:read"))

    assert (answer.status_code, problem(answer)) == (403, "missing_scope")
    assert "customers:read" in answer.json()["detail"]


def test_a_row_of_another_tenant_is_404_like_one_that_never_was(
    client, tenant, other_tenant, key_for
):
    activity = make_activity()

    answers = [
        client.get(f"{URL}{pk}/", **key_for(other_tenant, "customers:read"))
        for pk in (activity.pk, "018f0000-0000-7000-8000-000000000000", "nonsense")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({json.dumps(answer.json()) for answer in answers}) == 1


def test_an_address_that_does_not_exist_is_404(client, headers):
    answer = client.get("/api/v1/unicorns/", **headers)

    assert (answer.status_code, problem(answer)) == (404, "not_found")


def test_a_method_that_does_not_exist_is_405(client, headers):
    answer = client.delete(URL, **headers)

    assert (answer.status_code, problem(answer)) == (405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_an_answer_that_cannot_be_given_is_406(client, headers):
    answer = client.get(URL, HTTP_ACCEPT="text/html", **headers)

    assert (answer.status_code, problem(answer)) == (406, "not_acceptable")
