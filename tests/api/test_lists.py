"""Pages, orders and filters of lists."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_site.tenancy.context import tenant_scope
from customers.models import Activity
from tests.factories import make_activity, make_customer

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def headers(tenant, key_for):
    return key_for(tenant, "customers:read", "audit:read")


@pytest.fixture
def activities(tenant, other_tenant):
    customer = make_customer()
    made = [
        make_activity(customer=customer, occurred_at=START + timedelta(hours=n // 2))
        for n in range(7)
    ]
    with tenant_scope(other_tenant.pk):
        make_activity()
    return made


def walk(client, url, headers, link="next"):
    pages = []
    while url:
        body = client.get(url, **headers).json()
        pages.append([row["id"] for row in body["results"]])
        url = body[link]
    return pages


def test_a_list_shows_the_tenants_rows_newest_first(client, headers, activities):
    body = client.get("/api/v1/activities/", **headers).json()

    newest_first = Activity.objects.order_by("-occurred_at", "-id")
    assert [row["id"] for row in body["results"]] == [str(row.pk) for row in newest_first]
    assert (body["next"], body["previous"]) == (None, None)
    assert "count" not in body


def test_pages_follow_each_other_without_gap_or_repeat_and_back_again(client, headers, activities):
    forward = walk(client, "/api/v1/activities/?limit=3&ordering=occurredAt", headers)
    last = client.get("/api/v1/activities/?limit=3&ordering=occurredAt", **headers).json()
    while last["next"]:
        last = client.get(last["next"], **headers).json()
    backward = walk(client, last["previous"], headers, link="previous")

    assert [pk for page in forward for pk in page] == [str(row.pk) for row in activities]
    assert [len(page) for page in forward] == [3, 3, 1]
    assert backward == [forward[1], forward[0]]


def test_pages_stay_put_while_rows_come_in(client, headers, activities):
    first = client.get("/api/v1/activities/?limit=3", **headers).json()
    make_activity(occurred_at=START + timedelta(days=1))
    second = client.get(first["next"], **headers).json()

    seen = [row["id"] for row in first["results"] + second["results"]]
    newest_first = sorted(activities, key=lambda row: (row.occurred_at, row.pk), reverse=True)
    assert seen == [str(row.pk) for row in newest_first[:6]]


def test_a_count_comes_only_where_asked_for(client, headers, activities):
    body = client.get("/api/v1/activities/?count=true&limit=1", **headers).json()

    assert body["count"] == 7


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        ("limit=0", "limit", "invalid"),
        ("limit=501", "limit", "invalid"),
        ("limit=ten", "limit", "invalid"),
        ("limit=%C2%B2", "limit", "invalid"),
        ("cursor=nonsense", "cursor", "invalid"),
        ("cursor=W10", "cursor", "invalid"),
        ("ordering=title", "ordering", "invalid"),
        ("count=yes", "count", "invalid"),
        ("colour=red", "colour", "unknown_parameter"),
        ("occurred_at=2026-01-01", "occurred_at", "unknown_parameter"),
        ("category=BOOKING&category=GOLF", "category", "repeated_parameter"),
        ("category=GARDENING", "category", "invalid_choice"),
        ("customerId=7", "customerId", "invalid"),
        ("occurredAt__gte=yesterday", "occurredAt__gte", "invalid"),
        ("type=%00", "type", "null_characters_not_allowed"),
    ],
)
def test_a_parameter_that_is_not_understood_is_refused(client, headers, query, path, code):
    answer = client.get(f"/api/v1/activities/?{query}", **headers)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    faults = [(fault["path"], fault["code"]) for fault in answer.json()["errors"]]
    assert faults == [(path, code)]


def test_a_cursor_of_another_ordering_is_refused(client, headers, activities):
    body = client.get("/api/v1/activities/?limit=1", **headers).json()

    answer = client.get(body["next"] + "&ordering=occurredAt", **headers)

    assert answer.json()["errors"][0]["path"] == "cursor"


def test_filters_have_the_names_of_fields(client, headers, activities):
    golf = make_activity(type="HANDICAP_UPDATED", category="GOLF", occurred_at=START)

    def ids(query):
        return [
            row["id"]
            for row in client.get(f"/api/v1/activities/?{query}", **headers).json()["results"]
        ]

    assert ids("category=GOLF") == [str(golf.pk)]
    assert ids(f"customerId={golf.customer_id}") == [str(golf.pk)]
    assert ids("category__in=GOLF,SUPPORT") == [str(golf.pk)]
    assert len(ids("occurredAt__gte=2026-01-01T01:00:00Z")) == 5


def test_the_audit_log_tells_who_did_what(client, headers, actor):
    customer = make_customer()

    body = client.get(f"/api/v1/audit-log/?entityId={customer.pk}", **headers).json()

    [entry] = body["results"]
    assert (entry["action"], entry["entityType"]) == ("CREATE", "CustomerProfile")
    assert entry["performedBy"] == "user:test"
