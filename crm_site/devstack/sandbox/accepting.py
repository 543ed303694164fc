"""Deciding about the messages of a batch: accept, reject, or answer as the first time."""

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from crm_site.devstack.sandbox import behaviour, catalogue
from crm_site.devstack.sandbox.faults import Faults
from crm_site.devstack.sandbox.store import Store

CHANNELS = ("EMAIL", "SMS", "PUSH", "WHATSAPP", "IN_APP")
ADDRESS = {"EMAIL": "email", "SMS": "phoneNumber", "WHATSAPP": "phoneNumber"}
OBJECTIONS = {"message.unsubscribed", "message.complained"}
BATCH_LIMIT, KEY_LENGTH_LIMIT = 500, 128


class MalformedBatch(ValueError):
    """The batch breaks the contract; the message names the place."""


def check_batch(given: Any) -> list[dict[str, Any]]:
    """The messages of a request body. Raises MalformedBatch."""
    messages = given.get("messages") if isinstance(given, dict) else None
    if not isinstance(messages, list) or not 1 <= len(messages) <= BATCH_LIMIT:
        raise MalformedBatch(f"messages: a list of 1 to {BATCH_LIMIT} is needed.")
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]")
    return messages


def _check_message(message: Any, path: str) -> None:
    if not isinstance(message, dict):
        raise MalformedBatch(f"{path}: an object is needed.")
    for name in ("idempotencyKey", "templateId"):
        if not isinstance(message.get(name), str) or not message[name]:
            raise MalformedBatch(f"{path}.{name}: a text is needed.")
    if len(message["idempotencyKey"]) > KEY_LENGTH_LIMIT:
        raise MalformedBatch(f"{path}.idempotencyKey: at most {KEY_LENGTH_LIMIT} characters.")
    if message.get("channel") not in CHANNELS:
        raise MalformedBatch(f"{path}.channel: one of {', '.join(CHANNELS)} is needed.")
    to = message.get("to")
    if not isinstance(to, dict) or not isinstance(to.get("customerId"), str):
        raise MalformedBatch(f"{path}.to.customerId: a text is needed.")


def body_hash(message: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()


def accept(
    store: Store, tenant: str, messages: Sequence[dict[str, Any]], faults: Faults, now: float
) -> list[dict[str, Any]]:
    """Decide about each message, in one transaction. Returns the contract's results, in order."""
    with store.writing() as connection:
        return [_decide(store, connection, tenant, each, faults, now) for each in messages]


def find(store: Store, tenant: str, key: str, faults: Faults, now: float) -> sqlite3.Row | None:
    """The outcome of a key that is not yet forgotten."""
    return store.row(
        "SELECT * FROM outcomes WHERE tenant = ? AND key = ? AND decided_at > ?",
        (tenant, key, now - faults.key_horizon_seconds),
    )


def result(key: str, status: str, message_id: str | None = None, reason: str | None = None) -> Any:
    return {"idempotencyKey": key, "status": status, "messageId": message_id, "reason": reason}


def _decide(
    store: Store,
    connection: sqlite3.Connection,
    tenant: str,
    message: dict[str, Any],
    faults: Faults,
    now: float,
) -> dict[str, Any]:
    key, digest = message["idempotencyKey"], body_hash(message)
    known = find(store, tenant, key, faults, now)
    if known is not None and known["body_hash"] != digest:
        return dict(result(key, "conflict"))
    if known is not None:
        return dict(result(key, known["status"], known["message_id"], known["reason"]))
    reason = _reason_against(store, tenant, message, now)
    message_id = None if reason else _new_id(store, tenant, key)
    status = "rejected" if reason else "accepted"
    connection.execute(
        "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
        (tenant, key, digest, status, message_id, reason, now),
    )
    if message_id:
        _keep(store, connection, tenant, message_id, message, faults, now)
    return dict(result(key, status, message_id, reason))


def _new_id(store: Store, tenant: str, key: str) -> str:
    """The same for a key in every run, so that its recipient behaves the same."""
    made = f"msg_{uuid.uuid5(behaviour.NAMESPACE, f'message|{tenant}|{key}').hex}"
    # A key forgotten and accepted again is another message.
    taken = store.row("SELECT 1 FROM messages WHERE id = ?", (made,))
    return f"msg_{uuid.uuid4().hex}" if taken else made


def _keep(
    store: Store,
    connection: sqlite3.Connection,
    tenant: str,
    message_id: str,
    message: dict[str, Any],
    faults: Faults,
    now: float,
) -> None:
    to = message["to"]
    address = to.get(ADDRESS.get(message["channel"], "authUserId")) or ""
    connection.execute(
        "INSERT INTO messages (id, tenant, key, channel, template_id, customer_id, address, body, "
        "accepted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(message_id, tenant, message["idempotencyKey"], message["channel"]),
            *(message["templateId"], to["customerId"], address, json.dumps(message), now),
        ),
    )
    if faults.auto_events:
        kept = {
            "id": message_id,
            "tenant": tenant,
            "channel": message["channel"],
            "template_id": message["templateId"],
            "body": message,
            "accepted_at": now,
        }
        store.add_events(connection, behaviour.planned(kept, faults))


def _reason_against(store: Store, tenant: str, message: dict[str, Any], now: float) -> str | None:
    template = catalogue.BY_ID.get(message["templateId"])
    if template is None or template.channel != message["channel"]:
        return "unknown_template"
    to, name = message["to"], ADDRESS.get(message["channel"])
    address = str(to.get(name) or "") if name else ""
    if (name == "email" and "@" not in address) or (name == "phoneNumber" and address[:1] != "+"):
        return "invalid_address"
    past = _what_came_before(store, tenant, to["customerId"], message["channel"], now)
    if "message.bounced" in past:
        return "suppressed"
    # A transactional message needs a working address but no consent.
    if past & OBJECTIONS and template.category == "MARKETING":
        return "no_consent"
    return None


def _what_came_before(
    store: Store, tenant: str, customer_id: str, channel: str, now: float
) -> set[str]:
    """Types of the events so far about that person's messages over that channel."""
    rows = store.rows(
        "SELECT DISTINCT events.type FROM messages JOIN events ON events.message_id = messages.id "
        "WHERE messages.tenant = ? AND customer_id = ? AND channel = ? AND due_at <= ?",
        (tenant, customer_id, channel, now),
    )
    return {row[0] for row in rows}
