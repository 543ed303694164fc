"""What was sent: as a page, as JSON, and a way to answer as the recipient would."""

import json
import time
from typing import Any

from crm_site.devstack.sandbox import behaviour, catalogue, pages
from crm_site.devstack.sandbox.store import Store
from crm_site.devstack.sandbox.wire import Refused, Request, Response

PAGE_SIZE, LISTING_SIZE = 50, 1000
PAST_TENSE = {"open": "opened", "bounce": "bounced", "complain": "complained", "reply": "replied"}


class Inbox:
    def __init__(self, store: Store) -> None:
        self.store = store

    def show(self, request: Request) -> Response:
        query = request.query
        filters = {name: query.get(name, "") for name in ("tenant", "channel", "q")}
        found = self._messages(
            {
                "tenant = ?": filters["tenant"],
                "channel = ?": filters["channel"],
                "(address LIKE ? OR body LIKE ?)": f"%{filters['q']}%" if filters["q"] else "",
                "seq < ?": int(query.get("before") or 0),
            },
            order="DESC",
            limit=PAGE_SIZE + 1,
        )
        tenants = [row[0] for row in self.store.rows("SELECT DISTINCT tenant FROM messages")]
        return Response(200, pages.inbox(found, filters, tenants, PAGE_SIZE))

    def listing(self, request: Request) -> Response:
        """Accepted messages, oldest first, from the one after ``?after=`` (a ``seq``)."""
        query = request.query
        conditions = {
            "tenant = ?": query.get("tenant", ""),
            "seq > ?": int(query.get("after") or 0),
        }
        return Response(200, {"messages": self._messages(conditions, limit=LISTING_SIZE)})

    def show_message(self, request: Request, id: str) -> Response:
        message = self._message(id)
        events = self.store.rows(
            "SELECT type, due_at, delivered_at FROM events WHERE message_id = ? "
            "ORDER BY due_at, seq",
            (id,),
        )
        return Response(200, pages.message(message, [dict(row) for row in events], time.time()))

    def simulate(self, request: Request, id: str, verb: str) -> Response:
        """Answer as the recipient: open, click, reply, unsubscribe, bounce or complain."""
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Refused(403, "Only the inbox itself may ask for this.")
        message = self._message(id)
        events = _answer(message, verb, time.time())
        with self.store.writing() as connection:
            self.store.add_events(connection, events)
        return Response(303, "", {"Location": f"/messages/{id}"})

    def _message(self, id: str) -> dict[str, Any]:
        found = self._messages({"id = ?": id}, limit=1)
        if not found:
            raise Refused(404, "There is no such message.")
        return found[0]

    def _messages(
        self, conditions: dict[str, Any], *, order: str = "ASC", limit: int
    ) -> list[dict[str, Any]]:
        """Those that meet each condition whose value is not empty, rendered."""
        used = {condition: value for condition, value in conditions.items() if value}
        where = " AND ".join(used) or "1"
        values = [value for condition, value in used.items() for _ in range(condition.count("?"))]
        rows = self.store.rows(
            "SELECT *, (SELECT group_concat(type) FROM events WHERE message_id = messages.id "  # noqa: S608 - conditions of our own
            f"AND due_at <= ?) AS events FROM messages WHERE {where} ORDER BY seq {order} LIMIT ?",
            (time.time(), *values, limit),
        )
        return [_rendered(dict(row)) for row in rows]


def _answer(message: dict[str, Any], verb: str, now: float) -> list[dict[str, Any]]:
    if verb == "unsubscribe":
        return behaviour.unsubscription(message, now)
    if verb == "click":
        links = catalogue.links(catalogue.BY_ID[message["template_id"]])
        link_id, url = links[0] if links else ("main", catalogue.SITE)
        data = {"linkId": link_id, "linkUrl": url}
        return [behaviour.event(message, "message.clicked", now, once=False, **data)]
    if verb in PAST_TENSE:
        return [behaviour.event(message, f"message.{PAST_TENSE[verb]}", now, once=False)]
    raise Refused(404, "There is nothing here.")


def _rendered(row: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(row["body"])
    template = catalogue.BY_ID[row["template_id"]]
    rendered = catalogue.render(template, row["tenant"], body.get("variables") or {})
    events = (row.pop("events") or "").split(",")
    return {**row, "body": body, "events": [each for each in events if each], **rendered}
