"""Figures for Prometheus. Nothing in them names a person or a tenant.

Every web process counts into files of its own under ``PROMETHEUS_MULTIPROC_DIR``, which whichever
process is asked adds up. Queues and outcomes are read from the rows.
"""

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from crm_site.queues import read_queues, read_recent

# The client looks for the directory when it is imported.
FOLDER = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(settings.DATA_DIR / "metrics"))
Path(FOLDER).mkdir(parents=True, exist_ok=True)

from prometheus_client import (  # noqa: E402
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

CONTENT_TYPE = CONTENT_TYPE_LATEST
RECENT = timedelta(minutes=5)

REQUESTS = Counter(
    "fairway_http_requests_total", "Answers, by view and status.", ["view", "method", "status"]
)
SECONDS = Histogram("fairway_http_request_seconds", "Time to answer, by view.", ["view"])
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class WorkCollector:
    """What waits, and what became of the last minutes' work."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        age = GaugeMetricFamily(
            "fairway_queue_oldest_due_seconds", "Age of the oldest due work.", labels=["queue"]
        )
        for queue, figures in read_queues().items():
            age.add_metric([queue], figures["oldest_due_seconds"])
        yield age
        for kind, counts in read_recent(timezone.now() - RECENT).items():
            recent = GaugeMetricFamily(
                f"fairway_{kind}_last_five_minutes", "New rows by outcome.", labels=["outcome"]
            )
            for outcome, number in sorted(counts.items()):
                recent.add_metric([outcome], number)
            yield recent


def as_text() -> bytes:
    """Everything, in the Prometheus text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(WorkCollector())
    return generate_latest(registry)


class MetricsMiddleware:
    """Counts and times every answer under the name of its view; an address may hold an id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        view = (match.view_name or match.route) if match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(view, method, response.status_code).inc()
        SECONDS.labels(view).observe(time.perf_counter() - started)
        return response
