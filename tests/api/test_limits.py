"""Limits per caller."""

import pytest

from tests.factories import make_customer

URL = "/api/v1/notes/"


@pytest.fixture
def headers(tenant, key_for, settings):
    settings.API_RATE_PER_MINUTE = 2
    return key_for(tenant, "customers:read", "customers:write")


def test_each_answer_tells_what_is_left(client, headers):
    answer = client.get(URL, **headers)

    assert answer["RateLimit-Policy"] == '"minute";q=2;w=60'
    assert answer["RateLimit"].startswith('"minute";r=1;t=')


def test_over_the_limit_it_is_429_and_says_for_how_long(client, headers, key_for, tenant):
    answers = [client.get(URL, **headers) for _ in range(3)]
    other = client.get(URL, **key_for(tenant, "customers:read"))

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 61
    assert answers[2].json()["code"] == "throttled"
    assert other.status_code == 200


def test_a_body_too_large_is_413(client, headers, tenant):
    body = {"customerId": str(make_customer().pk), "content": "x" * 6_000_000}
    answer = client.post(URL, body, content_type="application/json", **headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"content": "a\\u0000b"}',
        b'{"content": "\\ud800"}',
        b'{"content": NaN}',
        b'{"content": 1e999}',
        b'{"content": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 200_000,
    ],
)
def test_json_that_cannot_be_stored_is_400(client, headers, body):
    answer = client.post(URL, body, content_type="application/json", **headers)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_another_kind_of_body_is_415(client, headers):
    answer = client.post(URL, "content=x", content_type="text/plain", **headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_without_redis_it_is_503(client, headers, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    answer = client.get(URL, **headers)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0
