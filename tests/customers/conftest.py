"""Sending events as their sources do, and having them processed."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from crm_site.access.services import create_webhook_endpoint
from crm_site.audit.actor import Actor
from crm_site.tenancy.context import tenant_scope
from customers.models import SyncLog
from customers.sync.ingest import receive
from customers.sync.processing import lock_processing, process_batch

PAYLOADS = Path(__file__).parent.parent / "payloads"
_numbers = itertools.count(1)


def payload(source, name):
    return json.loads((PAYLOADS / source / f"{name}.json").read_text())


def event(source="teetime", kind="booking.created", time=None, /, **data):
    """A CloudEvent of three days ago; ``bookingId`` and the like as they are needed."""
    time = time or (timezone.now() - timedelta(days=3)).isoformat()
    number = next(_numbers)
    if kind.startswith("booking.") and "bookingId" not in data:
        data["bookingId"] = f"B-{number}"
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": source,
        "type": kind,
        "time": time,
        "data": data,
    }


@pytest.fixture
def process():
    """Take events in and process what is due, in the tenant in scope; returns their rows."""

    def run(*events, now=None):
        receipt = receive(list(events))
        assert not receipt.rejected, receipt.rejected
        with transaction.atomic():
            lock_processing()
            process_batch(now=now or timezone.now())
        rows = {row.event_id: row for row in SyncLog.objects.all()}
        return [rows[item["id"]] for item in events]

    return run


class Door:
    """One source's webhook endpoint."""

    def __init__(self, client, tenant, source):
        with tenant_scope(tenant.pk), transaction.atomic():
            self.endpoint, self.secret = create_webhook_endpoint(
                source=source, actor=Actor("user:test")
            )
        self.client = client

    def sign(self, body: bytes, *, at=None, secret=None):
        at, message_id = at or datetime.now(UTC), f"msg_{uuid4().hex}"
        signature = Webhook(secret or self.secret).sign(message_id, at, body.decode())
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }

    def send(self, body, *, headers=None, **signing):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        # A request starts in nobody's scope.
        with tenant_scope(""):
            return self.client.post(
                f"/webhooks/{self.endpoint.pk}/",
                raw,
                content_type="application/json",
                headers=self.sign(raw, **signing) if headers is None else headers,
            )


@pytest.fixture
def door(client, tenant):
    return lambda source="teetime": Door(client, tenant, source)
