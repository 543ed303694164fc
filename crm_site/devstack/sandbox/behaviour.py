"""What recipients do with a message, and the signed events that tell Fairway of it.

Everything is drawn from the message's own id, so the same message always meets the same fate.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crm_site.devstack.sandbox import catalogue
from crm_site.devstack.sandbox.faults import Faults, draw

NAMESPACE = uuid.UUID("5b0d2f3c-51ad-4a3c-9a77-8f5f3a1f7d11")
DEVICES = (
    ("mobile", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Mobile/15E148"),
    ("mobile", "Mozilla/5.0 (Linux; Android 15; SM-S931B) Chrome/131.0 Mobile"),
    ("desktop", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0"),
)
CITIES = ("Durban", "Cape Town", "Johannesburg", "Pretoria", "George")
BY_PERSON = {"message.opened", "message.clicked", "message.unsubscribed"}


def planned(message: Mapping[str, Any], faults: Faults) -> list[dict[str, Any]]:
    """The events that will follow a message just accepted, each with its ``due_at``."""
    seed = (faults.seed, message["id"])
    at, rates, events = float(message["accepted_at"]), faults.rates, []

    def happens(what: str, rate: float) -> bool:
        return draw(*seed, what) < rate

    def later(what: str, shortest: float, longest: float) -> float:
        return (shortest + draw(*seed, what, "delay") * (longest - shortest)) / faults.speed

    sent_at = at + later("sent", 0.2, 1.0)
    events.append(event(message, "message.sent", sent_at))
    done_at = sent_at + later("delivered", 0.5, 3.0)
    if happens("bounced", rates.bounced):
        return [*events, event(message, "message.bounced", done_at, reason="mailbox_unavailable")]
    events.append(event(message, "message.delivered", done_at))
    if message["channel"] == "SMS" or not happens("opened", rates.opened):
        return events
    opened_at = done_at + later("opened", 2.0, 60.0)
    events.append(event(message, "message.opened", opened_at))
    last_at = opened_at
    template = catalogue.BY_ID[message["template_id"]]
    found = catalogue.links(template)
    if found and happens("clicked", rates.clicked):
        last_at = opened_at + later("clicked", 2.0, 20.0)
        link_id, url = found[0]
        events.append(event(message, "message.clicked", last_at, linkId=link_id, linkUrl=url))
    leaves = template.category == "MARKETING" and happens("unsubscribed", rates.unsubscribed)
    if leaves:
        events += unsubscription(message, last_at + later("unsubscribed", 2.0, 10.0))
    if happens("complained", rates.complained):
        events.append(event(message, "message.complained", last_at + 5.0 / faults.speed))
    return events


def unsubscription(message: Mapping[str, Any], at: float) -> list[dict[str, Any]]:
    """The two events of somebody who no longer wants this channel."""
    return [
        event(message, "message.unsubscribed", at),
        preference(
            tenant=message["tenant"],
            customer=_customer(message),
            channel=message["channel"],
            opted_in=False,
            at=at,
            message_id=message["id"],
        ),
    ]


def event(
    message: Mapping[str, Any], type: str, at: float, *, once: bool = True, **data: Any
) -> dict[str, Any]:
    """A CloudEvent about a message, due at ``at``. ``once`` makes a repeat the same event."""
    name = f"{message['id']}|{type}" if once else f"{message['id']}|{type}|{at}"
    body = message["body"]
    data = {
        "customer": _customer(message),
        "messageId": message["id"],
        "channel": message["channel"],
        "templateId": message["template_id"],
        "metadata": body.get("metadata") or {},
        **(_device(message["id"]) if type in BY_PERSON else {}),
        **data,
    }
    return {
        "message_id": message["id"],
        "due_at": at,
        "body": _envelope(str(uuid.uuid5(NAMESPACE, name)), message["tenant"], type, at, data),
    }


def preference(
    *,
    tenant: str,
    customer: Mapping[str, Any],
    channel: str,
    opted_in: bool,
    at: float,
    message_id: str | None = None,
) -> dict[str, Any]:
    """``contactPreference.updated``: what a person said about one channel."""
    data = {
        "customer": dict(customer),
        "channel": channel,
        "optedIn": opted_in,
        "changedAt": _iso(at),
        "source": "unsubscribe_link" if message_id else "preference_centre",
    }
    body = _envelope(str(uuid.uuid4()), tenant, "contactPreference.updated", at, data)
    return {"message_id": message_id, "due_at": at, "body": body}


def _envelope(
    id: str, tenant: str, type: str, at: float, data: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "messaging",
        "type": type,
        "time": _iso(at),
        "tenantid": tenant,
        "datacontenttype": "application/json",
        "data": data,
    }


def _customer(message: Mapping[str, Any]) -> dict[str, Any]:
    """The person as Messaging knows them: by its own contact id, and the address written to."""
    to = message["body"]["to"]
    contact = to.get("contactId") or str(
        uuid.uuid5(NAMESPACE, f"contact|{message['tenant']}|{to['customerId']}")
    )
    known = {name: to.get(name) for name in ("authUserId", "email", "phoneNumber")}
    return {"messagingContactId": contact, **{name: v for name, v in known.items() if v}}


def _device(message_id: str) -> dict[str, Any]:
    kind, agent = DEVICES[int(draw(message_id, "device") * len(DEVICES))]
    return {
        "deviceType": kind,
        "userAgent": agent,
        "ipAddress": f"198.51.100.{int(draw(message_id, 'ip') * 254) + 1}",  # RFC 5737
        "location": CITIES[int(draw(message_id, "city") * len(CITIES))],
    }


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
