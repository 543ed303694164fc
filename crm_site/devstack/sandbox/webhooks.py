"""Telling Fairway what happened: signed, in batches, again until it is accepted."""

import contextlib
import json
import logging
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx
from standardwebhooks.webhooks import Webhook

from crm_site.devstack.sandbox.store import Store

logger = logging.getLogger(__name__)

BATCH_LIMIT = 500
POLL_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 30.0


class Sender(threading.Thread):
    """Posts the events that are due, oldest first, a batch per tenant and round."""

    def __init__(self, store: Store, fairway_url: str) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._store = store
        self._fairway_url = fairway_url
        self._stopping = threading.Event()
        self._client = httpx.Client(timeout=20)
        self._waits: dict[str, tuple[float, float]] = {}  # tenant: (until, last wait)

    def run(self) -> None:
        while not self._stopping.is_set():
            delivered = 0
            try:
                delivered = self.deliver_due(time.time())
            except Exception:  # The next round tries again; nothing was marked delivered.
                logger.exception("Delivering events failed")
            if not delivered:
                self._stopping.wait(POLL_SECONDS)
        self._store.close()

    def stop(self) -> None:
        self._stopping.set()
        with contextlib.suppress(RuntimeError):
            self.join(timeout=5)
        self._client.close()

    def deliver_due(self, now: float) -> int:
        """One batch to each tenant whose endpoint is known. Returns how many were delivered."""
        endpoints = self._store.rows("SELECT tenant, url, secret FROM endpoints")
        return sum(
            self._deliver(row["tenant"], row["url"], row["secret"], now)
            for row in endpoints
            if self._waits.get(row["tenant"], (0.0, 0.0))[0] <= now
        )

    def _deliver(self, tenant: str, url: str, secret: str, now: float) -> int:
        due = self._store.rows(
            "SELECT seq, body FROM events WHERE tenant = ? AND delivered_at IS NULL "
            "AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
            (tenant, now, BATCH_LIMIT),
        )
        if not due:
            return 0
        body = "[" + ",".join(row["body"] for row in due) + "]"
        refusal = self._post(urljoin(self._fairway_url, url), secret, f"evt_{due[0]['seq']}", body)
        if refusal:
            self._wait(tenant, refusal, now)
            return 0
        self._waits.pop(tenant, None)
        with self._store.writing() as connection:
            connection.executemany(
                "UPDATE events SET delivered_at = ? WHERE seq = ?",
                [(now, row["seq"]) for row in due],
            )
        return len(due)

    def _post(self, url: str, secret: str, id: str, body: str) -> str:
        """Why it was not taken; empty if it was."""
        moment = datetime.now(UTC)
        headers = {
            "webhook-id": id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(secret).sign(id, moment, body),
            "Content-Type": "application/cloudevents-batch+json",
        }
        try:
            response = self._client.post(url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            return repr(error)
        if not response.is_success:
            return f"{response.status_code} {response.text[:200]}"
        with contextlib.suppress(json.JSONDecodeError):
            for rejection in response.json().get("rejected", ()):
                logger.warning("Fairway rejected an event: %s", rejection)
        return ""

    def _wait(self, tenant: str, refusal: str, now: float) -> None:
        _, last = self._waits.get(tenant, (0.0, 0.0))
        wait = min(max(0.5, last * 2), LONGEST_WAIT_SECONDS)
        self._waits[tenant] = (now + wait, wait)
        logger.warning("Events for %s wait %.1f s: %s", tenant, wait, refusal)
