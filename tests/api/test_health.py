"""What machines ask about us."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import DuplicateScan
from tests.factories import make_sync_log


def test_it_is_alive_while_it_answers(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_it_is_ready_and_tells_how_long_work_has_waited(client, tenant, other_tenant):
    make_sync_log(created_at=timezone.now() - timedelta(seconds=90))
    DuplicateScan.objects.create(
        requested_by="user:test", requested_at=timezone.now() - timedelta(seconds=40)
    )
    make_sync_log(status="SUCCESS", created_at=timezone.now() - timedelta(days=1))

    body = client.get("/readyz").json()

    assert body["status"] == "ready"
    assert body["checks"] == {"database": "ok", "broker": "ok"}
    assert body["queues"]["events"]["oldestDueSeconds"] == pytest.approx(90, abs=5)
    assert body["queues"]["deliveries"]["oldestDueSeconds"] == 0
    assert body["queues"]["matching"]["oldestDueSeconds"] == pytest.approx(40, abs=5)


@pytest.mark.django_db
def test_it_is_not_ready_without_its_broker(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "broker": "away"}


def test_metrics_count_by_view_and_name_nobody(client, tenant):
    make_sync_log(status="FAILED", error="No such thing as ann@example.com")
    client.get("/healthz")

    text = client.get("/metrics").content.decode()

    assert 'fairway_http_requests_total{method="GET",status="200",view="healthz"}' in text
    assert 'fairway_queue_oldest_due_seconds{queue="events"}' in text
    assert 'fairway_events_last_five_minutes{outcome="FAILED"} 1.0' in text
    assert tenant.pk not in text
    assert "@" not in text


@pytest.mark.django_db
def test_metrics_are_for_this_machine(client, settings):
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 404

    settings.METRICS_TOKEN = "a token"
    token = {"HTTP_AUTHORIZATION": "Bearer a token"}
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", **token).status_code == 200
    assert client.get("/metrics").status_code == 404
