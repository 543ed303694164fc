"""Messaging's own API, by its contract, with the faults that were asked for."""

import random
import threading
import time
from typing import Any

from crm_site.devstack.sandbox import accepting, catalogue
from crm_site.devstack.sandbox.faults import Faults
from crm_site.devstack.sandbox.store import Store
from crm_site.devstack.sandbox.wire import Refused, Request, Response

HOLD_LIMIT_SECONDS = 120.0
IDS_PER_CALL = 10_000


class MessagingApi:
    """Every route is for one tenant, whose id comes first among its arguments."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.held = 0  # Requests that accepted and wait for a release.
        self._in_flight: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._requests = store.number("SELECT coalesce(max(request), 0) FROM attempts")
        self.use(faults)

    def use(self, faults: Faults) -> None:
        """Turn the knobs. The dice start anew, so the same seed brings the same faults."""
        self.faults = faults
        self._dice = random.Random(faults.seed)  # noqa: S311 - faults need no cryptography

    def release(self) -> None:
        """Answer what is held, and hold no more."""
        self.use(Faults.parse({"hold_after_accepting": False}, self.faults))
        self._released.set()
        self._released = threading.Event()

    def send_batch(self, request: Request, tenant: str) -> Response:
        messages = accepting.check_batch(request.json())
        faults, now = self.faults, time.time()
        if refusal := self._refusal_before_accepting(faults, now):
            self._note_attempts(tenant, messages, str(refusal.response.status), now)
            raise refusal
        time.sleep(faults.latency_seconds)
        mine = self._enter(tenant, messages)
        try:
            results = self._results(tenant, messages, mine, faults, now)
            if faults.hold_after_accepting:
                self._hold()
        finally:
            self._leave(tenant, mine)
        fault = self._fault_after(messages, faults)
        self._note_attempts(tenant, messages, fault or "200", now)
        if fault == "error":
            raise Refused(500, "Something broke.")
        return Response(200, {"results": results}, drop=fault)

    def _refusal_before_accepting(self, faults: Faults, now: float) -> Refused | None:
        if now < faults.throttle_until:
            wait = str(int(faults.throttle_until - now) + 1)
            return Refused(429, "Slow down.", **{"Retry-After": wait})
        wait = str(faults.retry_after_seconds)
        if self._dice.random() < faults.throttle_rate:
            return Refused(429, "Slow down.", **{"Retry-After": wait})
        if self._dice.random() < faults.unavailable_rate:
            return Refused(503, "Unavailable.", **{"Retry-After": wait})
        return None

    def _fault_after(self, messages: list[dict[str, Any]], faults: Faults) -> str | None:
        if any(faults.is_failing_key(message["idempotencyKey"]) for message in messages):
            return "error"
        return faults.fault_after_accepting(self._dice)

    def _enter(self, tenant: str, messages: list[dict[str, Any]]) -> set[str]:
        """The keys this request works on; those another request works on are not among them."""
        keys = {message["idempotencyKey"] for message in messages}
        with self._lock:
            mine = {key for key in keys if (tenant, key) not in self._in_flight}
            self._in_flight |= {(tenant, key) for key in mine}
        return mine

    def _leave(self, tenant: str, mine: set[str]) -> None:
        with self._lock:
            self._in_flight -= {(tenant, key) for key in mine}

    def _results(
        self, tenant: str, messages: list[Any], mine: set[str], faults: Faults, now: float
    ) -> list[Any]:
        own = [message for message in messages if message["idempotencyKey"] in mine]
        decided = iter(accepting.accept(self.store, tenant, own, faults, now))
        return [
            next(decided)
            if message["idempotencyKey"] in mine
            else accepting.result(message["idempotencyKey"], "in_progress")
            for message in messages
        ]

    def _hold(self) -> None:
        released = self._released
        with self._lock:
            self.held += 1
        released.wait(HOLD_LIMIT_SECONDS)
        with self._lock:
            self.held -= 1

    def _note_attempts(self, tenant: str, messages: list[Any], answer: str, now: float) -> None:
        with self.store.writing() as connection:
            self._requests += 1
            connection.executemany(
                "INSERT INTO attempts (request, at, tenant, key, body_hash, answer) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(self._requests, now, tenant, message["idempotencyKey"]),
                        *(accepting.body_hash(message), answer),
                    )
                    for message in messages
                ],
            )

    def find_by_key(self, request: Request, tenant: str, key: str) -> Response:
        self._fail_lookup()
        if (tenant, key) in self._in_flight:
            return Response(200, accepting.result(key, "in_progress"))
        row = accepting.find(self.store, tenant, key, self.faults, time.time())
        if row is None:
            raise Refused(404, "Never accepted.")
        found = accepting.result(key, row["status"], row["message_id"], row["reason"])
        return Response(200, found)

    def _fail_lookup(self) -> None:
        if self._dice.random() < self.faults.lookup_unavailable_rate:
            raise Refused(503, "Unavailable.")

    def list_templates(self, request: Request, tenant: str) -> Response:
        self._fail_lookup()
        query = request.query
        return Response(200, catalogue.page(query.get("channel"), query.get("cursor")))

    def render_template(self, request: Request, tenant: str, template_id: str) -> Response:
        self._fail_lookup()
        template = catalogue.BY_ID.get(template_id)
        if template is None:
            raise Refused(404, "No such template.")
        variables = request.json().get("variables") or {}
        return Response(200, catalogue.render(template, tenant, variables))

    def sync_segment(self, request: Request, tenant: str, segment: str) -> Response:
        body = request.json()
        add, remove = body.get("add") or [], body.get("remove") or []
        if len(add) + len(remove) > IDS_PER_CALL:
            raise Refused(400, f"At most {IDS_PER_CALL} ids a call.")
        with self.store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO segments VALUES (?, ?, ?)",
                (tenant, segment, body.get("name") or segment),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO segment_members VALUES (?, ?, ?)",
                [(tenant, segment, customer) for customer in add],
            )
            connection.executemany(
                "DELETE FROM segment_members WHERE tenant = ? AND segment = ? AND customer_id = ?",
                [(tenant, segment, customer) for customer in remove],
            )
        return Response(204)
