"""What machines ask: is it alive, is it ready, and how is it doing."""

import hmac
import logging
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm_site import metrics
from crm_site.queues import read_queues

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_SECONDS = 2


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while database and broker answer, 503 otherwise; with the age of the oldest due work.

    ``{"status", "checks": {"database", "broker"}, "queues": {"events": {"oldestDueSeconds"}}}``.
    """
    checks = {"database": _has_database(), "broker": _has_broker()}
    is_ready = all(checks.values())
    body: dict[str, Any] = {
        "status": "ready" if is_ready else "unavailable",
        "checks": {name: "ok" if is_ok else "away" for name, is_ok in checks.items()},
    }
    if is_ready:
        body["queues"] = {
            queue: {"oldestDueSeconds": round(figures["oldest_due_seconds"], 1)}
            for queue, figures in read_queues().items()
        }
    return JsonResponse(body, status=200 if is_ready else 503)


def _has_database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        logger.warning("The database does not answer", exc_info=True)
        return False
    return True


def _has_broker() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=BROKER_TIMEOUT_SECONDS,
        socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
    )
    try:
        client.ping()
    except redis.RedisError:
        logger.warning("The broker does not answer", exc_info=True)
        return False
    finally:
        client.close()
    return True


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for this machine or for the holder of ``METRICS_TOKEN``; 404 to others."""
    if not _may_read_metrics(request):
        raise Http404
    return HttpResponse(metrics.as_text(), content_type=metrics.CONTENT_TYPE)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    # What a proxy passes on comes from somewhere else, whatever the address says.
    is_passed_on = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not is_passed_on and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1", ""}
