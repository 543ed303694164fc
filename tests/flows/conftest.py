"""A whole Fairway for a story: a web server, the Messaging sandbox, tasks run as they are rung."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from django.db import transaction
from standardwebhooks.webhooks import Webhook

from crm_site.access.services import create_webhook_endpoint
from crm_site.celery import app
from crm_site.devstack.sandbox import Sandbox
from crm_site.messaging.gateway import forget_gateway
from crm_site.tenancy.context import tenant_scope
from tests.conftest import ACTOR


@pytest.fixture
def rung_at_once():
    """Tasks run where they are rung for, so that a story needs no worker."""
    app.conf.task_always_eager = True
    app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager = False
    app.conf.task_eager_propagates = False


class Source:
    """A service that signs its events for one tenant's endpoint."""

    def __init__(self, base_url: str, tenant, source: str) -> None:
        with tenant_scope(tenant.pk), transaction.atomic():
            endpoint, self.secret = create_webhook_endpoint(source=source, actor=ACTOR)
        self.name, self.path = source, f"/webhooks/{endpoint.pk}/"
        self.url = base_url + self.path

    def send(self, *events: dict) -> httpx.Response:
        body, moment = json.dumps(events), datetime.now(UTC)
        delivery = str(uuid4())
        headers = {
            "webhook-id": delivery,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(delivery, moment, body),
        }
        return httpx.post(self.url, content=body.encode(), headers=headers, timeout=30)

    def event(self, kind: str, customer: dict, **data) -> dict:
        return {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": self.name,
            "type": kind,
            "time": datetime.now(UTC).isoformat(),
            "data": {"customer": customer, **data},
        }


@pytest.fixture
def source(live_server):
    """Open a source: ``source(tenant, "scl")``."""
    return lambda tenant, name: Source(live_server.url, tenant, name)


@pytest.fixture
def sandbox(live_server, tmp_path, settings):
    """The Messaging service, as a process of its own, whose recipients do only what we say."""
    faults = {"auto_events": False}
    with Sandbox(tmp_path / "sandbox", fairway_url=live_server.url, faults=faults) as running:
        settings.MESSAGING_GATEWAY = "crm_site.messaging.http.HttpGateway"
        settings.MESSAGING_BASE_URL = running.base_url
        forget_gateway()
        yield running
    forget_gateway()
