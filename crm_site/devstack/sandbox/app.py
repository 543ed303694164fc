"""The sandbox's addresses: Messaging's API, the inbox, and its own knobs under /_sandbox/."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import unquote

from crm_site.devstack.sandbox import behaviour
from crm_site.devstack.sandbox.api import MessagingApi
from crm_site.devstack.sandbox.faults import Faults
from crm_site.devstack.sandbox.inbox import Inbox
from crm_site.devstack.sandbox.store import Store
from crm_site.devstack.sandbox.wire import Refused, Request, Response

ATTEMPTS_LIMIT = 10_000


class App:
    """Answers requests, from many threads at once."""

    def __init__(self, store: Store, api_key: str, faults: Faults) -> None:
        self.store, self._api_key = store, api_key
        self.api, inbox = MessagingApi(store, faults), Inbox(store)
        routes: list[tuple[str, str, Callable[..., Response]]] = [
            ("POST", r"/v1/messages:batch", self.api.send_batch),
            ("GET", r"/v1/messages/by-key/([^/]+)", self.api.find_by_key),
            ("GET", r"/v1/templates", self.api.list_templates),
            ("POST", r"/v1/templates/([^/]+)/render", self.api.render_template),
            ("PATCH", r"/v1/segments/([^/]+)/members", self.api.sync_segment),
            ("GET", r"/", inbox.show),
            ("GET", r"/inbox\.json", inbox.listing),
            ("GET", r"/messages/([^/]+)", inbox.show_message),
            ("POST", r"/messages/([^/]+)/(\w+)", inbox.simulate),
            ("GET", r"/_sandbox/state", self.show_state),
            ("GET", r"/_sandbox/attempts", self.list_attempts),
            ("GET", r"/_sandbox/segments/([^/]+)", self.list_segment),
            ("PUT", r"/_sandbox/faults", self.set_faults),
            ("POST", r"/_sandbox/release", self.release),
            ("POST", r"/_sandbox/clear", self.clear),
            ("POST", r"/_sandbox/preferences", self.set_preference),
            ("GET", r"/_sandbox/endpoints", self.list_endpoints),
            ("PUT", r"/_sandbox/endpoints/([^/]+)", self.set_endpoint),
        ]
        self._routes = [(method, re.compile(path), route) for method, path, route in routes]

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
                if request.path.startswith(("/v1/", "/_sandbox/")):
                    self._check_key(request)
                if request.path.startswith("/v1/"):
                    arguments.insert(0, _tenant_of(request))
                return route(request, *arguments)
        raise Refused(404, "There is nothing here.")

    def _check_key(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            raise Refused(401, "The bearer token is missing or wrong.")

    def show_state(self, request: Request) -> Response:
        count = self.store.number
        state = {
            "accepted": count("SELECT count(*) FROM messages"),
            "attempts": count("SELECT count(*) FROM attempts"),
            "held": self.api.held,
            "waitingEvents": count("SELECT count(*) FROM events WHERE delivered_at IS NULL"),
            "deliveredEvents": count("SELECT count(*) FROM events WHERE delivered_at > 0"),
            "faults": asdict(self.api.faults),
        }
        return Response(200, state)

    def list_attempts(self, request: Request) -> Response:
        """Every attempt on every key, in order, from the one after ``?after=`` (a ``seq``)."""
        rows = self.store.rows(
            "SELECT * FROM attempts WHERE seq > ? ORDER BY seq LIMIT ?",
            (int(request.query.get("after") or 0), ATTEMPTS_LIMIT),
        )
        return Response(200, {"attempts": [dict(row) for row in rows]})

    def list_segment(self, request: Request, segment: str) -> Response:
        rows = self.store.rows(
            "SELECT customer_id FROM segment_members WHERE segment = ? AND tenant = ? ORDER BY 1",
            (segment, request.query.get("tenant", "")),
        )
        return Response(200, {"members": [row[0] for row in rows]})

    def set_faults(self, request: Request) -> Response:
        self.api.use(Faults.parse(request.json(), self.api.faults))
        return Response(200, asdict(self.api.faults))

    def release(self, request: Request) -> Response:
        self.api.release()
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


def _tenant_of(request: Request) -> str:
    tenant = request.headers.get("X-Tenant-Id")
    if not tenant:
        raise Refused(400, "X-Tenant-Id is missing.")
    return str(tenant)
