"""The sandbox's addresses: Messaging's API, the inbox, and its own knobs under /_sandbox/."""

import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crm_site.devstack.sandbox import accepting, behaviour, catalogue, pages
from crm_site.devstack.sandbox.faults import Faults
from crm_site.devstack.sandbox.store import Store

INBOX_PAGE, INBOX_LIMIT = 50, 1000
HOLD_LIMIT_SECONDS = 120.0
IDS_PER_CALL = 10_000


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Any = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qs(urlsplit(self.target).query)
        return {name: values[0] for name, values in pairs.items()}

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """``drop`` closes the connection instead of answering: ``"silence"`` or ``"reset"``."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: str | None = None


class Refused(Exception):
    """Answer a request with an error."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.response = Response(status, {"status": status, "detail": detail}, headers)


Route = Callable[..., Response]


class App:
    """Answers requests, from many threads at once."""

    def __init__(self, store: Store, api_key: str, faults: Faults) -> None:
        self.store, self.api_key, self.faults = store, api_key, faults
        self._dice = random.Random(faults.seed)  # noqa: S311 - faults need no cryptography
        self._requests = 0
        self._held = 0
        self._in_flight: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._routes: list[tuple[str, re.Pattern[str], Route]] = [
            ("POST", re.compile(r"/v1/messages:batch"), self.send_batch),
            ("GET", re.compile(r"/v1/messages/by-key/([^/]+)"), self.find_by_key),
            ("GET", re.compile(r"/v1/templates"), self.list_templates),
            ("POST", re.compile(r"/v1/templates/([^/]+)/render"), self.render_template),
            ("PATCH", re.compile(r"/v1/segments/([^/]+)/members"), self.sync_segment),
            ("GET", re.compile(r"/"), self.show_inbox),
            ("GET", re.compile(r"/inbox\.json"), self.list_inbox),
            ("GET", re.compile(r"/messages/([^/]+)"), self.show_message),
            ("POST", re.compile(r"/messages/([^/]+)/(\w+)"), self.simulate),
            ("GET", re.compile(r"/_sandbox/state"), self.show_state),
            ("GET", re.compile(r"/_sandbox/attempts"), self.list_attempts),
            ("GET", re.compile(r"/_sandbox/segments/([^/]+)"), self.list_segment),
            ("PUT", re.compile(r"/_sandbox/faults"), self.set_faults),
            ("POST", re.compile(r"/_sandbox/release"), self.release),
            ("POST", re.compile(r"/_sandbox/clear"), self.clear),
            ("POST", re.compile(r"/_sandbox/preferences"), self.set_preference),
            ("GET", re.compile(r"/_sandbox/endpoints"), self.list_endpoints),
            ("PUT", re.compile(r"/_sandbox/endpoints/([^/]+)"), self.set_endpoint),
        ]

    def answer(self, request: Request) -> Response:
        try:
            return self._route(request)
        except Refused as refusal:
            return refusal.response
        except (ValueError, KeyError, TypeError) as error:
            return Response(400, {"status": 400, "detail": str(error)})

    def _route(self, request: Request) -> Response:
        for method, pattern, route in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                arguments = [unquote(part) for part in match.groups()]
                if request.path.startswith("/v1/"):
                    arguments.insert(0, self._tenant_of(request))
                elif request.path.startswith("/_sandbox/"):
                    self._check_key(request)
                return route(request, *arguments)
        raise Refused(404, "There is nothing here.")

    def _check_key(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            raise Refused(401, "The bearer token is missing or wrong.")

    def _tenant_of(self, request: Request) -> str:
        self._check_key(request)
        tenant = request.headers.get("X-Tenant-Id")
        if not tenant:
            raise Refused(400, "X-Tenant-Id is missing.")
        return str(tenant)

    # Messaging's API

    def send_batch(self, request: Request, tenant: str) -> Response:
        messages = accepting.check_batch(request.json())
        faults, now = self.faults, time.time()
        try:
            self._fail_before_accepting(faults, now)
        except Refused as refusal:
            self._note_attempts(tenant, messages, str(refusal.response.status), now)
            raise
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

    def _fail_before_accepting(self, faults: Faults, now: float) -> None:
        if now < faults.throttle_until:
            wait = str(int(faults.throttle_until - now) + 1)
            raise Refused(429, "Slow down.", **{"Retry-After": wait})
        wait = str(faults.retry_after_seconds)
        if self._dice.random() < faults.throttle_rate:
            raise Refused(429, "Slow down.", **{"Retry-After": wait})
        if self._dice.random() < faults.unavailable_rate:
            raise Refused(503, "Unavailable.", **{"Retry-After": wait})

    def _fault_after(self, messages: list[dict[str, Any]], faults: Faults) -> str | None:
        if any(faults.is_failing_key(message["idempotencyKey"]) for message in messages):
            return "error"
        return faults.fault_after_accepting(self._dice)

    def _enter(self, tenant: str, messages: list[dict[str, Any]]) -> set[str]:
        """The keys this request works on; those of another request at work are not among them."""
        with self._lock:
            keys = {message["idempotencyKey"] for message in messages}
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
        with self._lock:
            self._held += 1
        self._released.wait(HOLD_LIMIT_SECONDS)
        with self._lock:
            self._held -= 1

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
        return Response(
            200, catalogue.page(request.query.get("channel"), request.query.get("cursor"))
        )

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

    # The inbox

    def show_inbox(self, request: Request) -> Response:
        query = request.query
        filters = {name: query.get(name, "") for name in ("tenant", "channel", "q")}
        before = int(query.get("before") or 0)
        messages = self._messages(
            tenant=filters["tenant"],
            channel=filters["channel"],
            q=filters["q"],
            before=before,
            limit=INBOX_PAGE + 1,
        )
        tenants = [row[0] for row in self.store.rows("SELECT DISTINCT tenant FROM messages")]
        return Response(200, pages.inbox(messages, filters, tenants, INBOX_PAGE))

    def list_inbox(self, request: Request) -> Response:
        """Accepted messages in order, those after ``?after=`` first; at most 1,000."""
        query = request.query
        rows = self._messages(
            tenant=query.get("tenant", ""), after=int(query.get("after") or 0), limit=INBOX_LIMIT
        )
        following = rows[-1]["seq"] if len(rows) == INBOX_LIMIT else None
        return Response(200, {"messages": rows, "next": following})

    def show_message(self, request: Request, id: str) -> Response:
        message = self._message(id)
        events = self.store.rows(
            "SELECT type, due_at, delivered_at FROM events WHERE message_id = ? "
            "ORDER BY due_at, seq",
            (id,),
        )
        return Response(200, pages.message(message, [dict(row) for row in events], time.time()))

    def simulate(self, request: Request, id: str, verb: str) -> Response:
        """Do as the recipient of one message would: open, click, unsubscribe, bounce, complain."""
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Refused(403, "Only the inbox itself may ask for this.")
        message, now = self._message(id), time.time()
        if verb == "unsubscribe":
            events = behaviour.unsubscription(message, now)
        elif verb == "click":
            found = catalogue.links(catalogue.BY_ID[message["template_id"]])
            link_id, url = found[0] if found else ("main", catalogue.SITE)
            data = {"linkId": link_id, "linkUrl": url}
            events = [behaviour.event(message, "message.clicked", now, once=False, **data)]
        elif verb in {"open", "bounce", "complain", "reply"}:
            past = {"open": "opened", "bounce": "bounced", "complain": "complained"}
            type = f"message.{past.get(verb, 'replied')}"
            events = [behaviour.event(message, type, now, once=False)]
        else:
            raise Refused(404, "There is nothing here.")
        with self.store.writing() as connection:
            self.store.add_events(connection, events)
            if verb in {"unsubscribe", "bounce"}:
                reason = "no_consent" if verb == "unsubscribe" else "suppressed"
                connection.execute(
                    "INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?)",
                    (message["tenant"], message["customer_id"], message["channel"], reason),
                )
        return Response(303, "", {"Location": f"/messages/{id}"})

    def _message(self, id: str) -> dict[str, Any]:
        found = self._messages(id=id, limit=1)
        if not found:
            raise Refused(404, "There is no such message.")
        return found[0]

    def _messages(
        self,
        *,
        tenant: str = "",
        channel: str = "",
        q: str = "",
        id: str = "",
        before: int = 0,
        after: int | None = None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Newest first, or oldest first where ``after`` is given."""
        conditions, values = ["1"], []
        for condition, value in (
            ("tenant = ?", tenant),
            ("channel = ?", channel),
            ("id = ?", id),
            ("seq < ?", before),
            ("seq > ?", after),
            ("(address LIKE ? OR body LIKE ?)", f"%{q}%" if q else ""),
        ):
            if value:
                conditions.append(condition)
                values += [value] * condition.count("?")
        order = "DESC" if after is None else "ASC"
        rows = self.store.rows(
            "SELECT *, (SELECT group_concat(type) FROM events WHERE message_id = messages.id "  # noqa: S608 - conditions of our own
            f"AND due_at <= ?) AS events FROM messages WHERE {' AND '.join(conditions)} "
            f"ORDER BY seq {order} LIMIT ?",
            (time.time(), *values, limit),
        )
        return [_shown(dict(row)) for row in rows]

    # Knobs

    def show_state(self, request: Request) -> Response:
        count = self.store.number
        return Response(
            200,
            {
                "accepted": count("SELECT count(*) FROM messages"),
                "outcomes": count("SELECT count(*) FROM outcomes"),
                "attempts": count("SELECT count(*) FROM attempts"),
                "held": self._held,
                "waitingEvents": count("SELECT count(*) FROM events WHERE delivered_at IS NULL"),
                "deliveredEvents": count(
                    "SELECT count(*) FROM events WHERE delivered_at IS NOT NULL"
                ),
                "faults": asdict(self.faults),
            },
        )

    def list_attempts(self, request: Request) -> Response:
        """Every attempt on every key, in order; ``?after=`` a ``seq``, at most 10,000."""
        rows = self.store.rows(
            "SELECT * FROM attempts WHERE seq > ? ORDER BY seq LIMIT 10000",
            (int(request.query.get("after") or 0),),
        )
        return Response(200, {"attempts": [dict(row) for row in rows]})

    def list_segment(self, request: Request, segment: str) -> Response:
        rows = self.store.rows(
            "SELECT customer_id FROM segment_members WHERE segment = ? AND tenant = ? ORDER BY 1",
            (segment, request.query.get("tenant", "")),
        )
        return Response(200, {"members": [row[0] for row in rows]})

    def set_faults(self, request: Request) -> Response:
        self.faults = Faults.parse(request.json(), self.faults)
        self._dice = random.Random(self.faults.seed)  # noqa: S311 - faults need no cryptography
        return Response(200, asdict(self.faults))

    def release(self, request: Request) -> Response:
        """Answer what is held, and hold no more."""
        self.faults = Faults.parse({"hold_after_accepting": False}, self.faults)
        self._released.set()
        self._released = threading.Event()
        return Response(204)

    def clear(self, request: Request) -> Response:
        self.store.clear()
        return Response(204)

    def set_preference(self, request: Request) -> Response:
        """A person changes their mind: ``tenant, customer, channel, optedIn``; told to Fairway."""
        body = request.json()
        told = behaviour.preference(
            tenant=body["tenant"],
            customer=body["customer"],
            channel=body["channel"],
            opted_in=bool(body["optedIn"]),
            at=time.time(),
        )
        with self.store.writing() as connection:
            self.store.add_events(connection, [told])
        return Response(202, {"id": told["body"]["id"]})

    def list_endpoints(self, request: Request) -> Response:
        rows = self.store.rows("SELECT tenant, url FROM endpoints ORDER BY tenant")
        return Response(200, {"endpoints": {row["tenant"]: row["url"] for row in rows}})

    def set_endpoint(self, request: Request, tenant: str) -> Response:
        body = request.json()
        with self.store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?)",
                (tenant, body["url"], body["secret"]),
            )
        return Response(204)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(row["body"])
    template = catalogue.BY_ID[row["template_id"]]
    rendered = catalogue.render(template, row["tenant"], body.get("variables") or {})
    events = (row.pop("events") or "").split(",")
    return {**row, "body": body, "events": [each for each in events if each], **rendered}
