"""Messaging over HTTP, as its contract lays down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings
from django.utils import timezone

from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import (
    BATCH_LIMIT,
    Message,
    MessagingRefused,
    MessagingThrottled,
    MessagingUncertain,
    MessagingUnreachable,
    Rendered,
    Result,
    Status,
    Template,
    UnknownTemplate,
)

CONNECT_TIMEOUT_SECONDS = 3.0
LOOKUP_TIMEOUT_SECONDS = 5.0  # A person may be waiting for it.
DEFAULT_RETRY_AFTER_SECONDS = 5.0
SEGMENT_IDS_PER_CALL = 10_000
TEMPLATE_PAGES_LIMIT = 100


class HttpGateway:
    """Safe to share between threads; connections are kept and used again."""

    def __init__(self, base_url: str, api_key: str, *, timeout_seconds: float = 20.0) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
        )
        self._lookup_timeout = httpx.Timeout(
            min(timeout_seconds, LOOKUP_TIMEOUT_SECONDS), connect=CONNECT_TIMEOUT_SECONDS
        )

    @classmethod
    def from_settings(cls) -> "HttpGateway":
        return cls(
            settings.MESSAGING_BASE_URL,
            settings.MESSAGING_API_KEY,
            timeout_seconds=settings.MESSAGING_TIMEOUT_SECONDS,
        )

    def send_batch(self, tenant_id: str, messages: Sequence[Message]) -> list[Result]:
        if not messages:
            return []
        if len(messages) > BATCH_LIMIT:
            raise ValueError(f"A batch holds at most {BATCH_LIMIT} messages.")
        body = {"messages": [_message_json(message) for message in messages]}
        answer = _json(self._call("POST", "/v1/messages:batch", tenant_id, json=body))
        try:
            results = [_result(item) for item in answer["results"]]
        except (KeyError, TypeError, ValueError) as error:
            raise MessagingUncertain("Messaging's answer could not be read.") from error
        asked = [message.idempotency_key for message in messages]
        if [result.idempotency_key for result in results] != asked:
            raise MessagingUncertain("Messaging answered for other messages than were sent.")
        return results

    def find_by_key(self, tenant_id: str, key: str) -> Result | None:
        path = f"/v1/messages/by-key/{quote(key, safe='')}"
        response = self._call("GET", path, tenant_id, is_lookup=True, allowed={404})
        if response.status_code == 404:
            return None
        try:
            return _result(_json(response))
        except (KeyError, TypeError, ValueError) as error:
            raise MessagingUncertain("Messaging's answer could not be read.") from error

    def list_templates(self, tenant_id: str, channel: Channel | None = None) -> list[Template]:
        templates: list[Template] = []
        query = {"channel": str(channel)} if channel else {}
        for _ in range(TEMPLATE_PAGES_LIMIT):
            page = _json(
                self._call("GET", "/v1/templates", tenant_id, is_lookup=True, params=query)
            )
            templates += _templates(page)
            cursor = page.get("nextCursor")
            if not cursor:
                return templates
            query = {**query, "cursor": cursor}
        raise MessagingUncertain("Messaging's list of templates does not end.")

    def render_template(
        self, tenant_id: str, template_id: str, variables: Mapping[str, Any]
    ) -> Rendered:
        path = f"/v1/templates/{quote(template_id, safe='')}/render"
        body = {"variables": dict(variables)}
        response = self._call("POST", path, tenant_id, is_lookup=True, json=body, allowed={404})
        if response.status_code == 404:
            raise UnknownTemplate(template_id)
        answer = _json(response)
        return Rendered(
            text=answer.get("text") or "", subject=answer.get("subject"), html=answer.get("html")
        )

    def sync_segment(
        self,
        tenant_id: str,
        messaging_segment_id: str,
        *,
        name: str,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> None:
        path = f"/v1/segments/{quote(messaging_segment_id, safe='')}/members"
        for verb, ids in (("add", add), ("remove", remove)):
            for part in _in_parts(ids, SEGMENT_IDS_PER_CALL):
                self._call("PATCH", path, tenant_id, json={"name": name, verb: part})

    def _call(
        self,
        method: str,
        path: str,
        tenant_id: str,
        *,
        is_lookup: bool = False,
        allowed: Iterable[int] = (),
        **request: Any,
    ) -> httpx.Response:
        """One request. Returns a 2xx answer, or one whose status is ``allowed``."""
        if is_lookup:
            request["timeout"] = self._lookup_timeout
        try:
            response = self._client.request(
                method, path, headers={"X-Tenant-Id": tenant_id}, **request
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise MessagingUnreachable(
                "Messaging cannot be reached.", retry_after_seconds=DEFAULT_RETRY_AFTER_SECONDS
            ) from error
        except httpx.HTTPError as error:
            raise MessagingUncertain(f"Messaging gave no answer: {error!r}.") from error
        if not response.is_success and response.status_code not in allowed:
            raise _failure(response)
        return response


def _failure(
    response: httpx.Response,
) -> MessagingThrottled | MessagingUncertain | MessagingRefused:
    status, wait = response.status_code, _retry_after(response)
    if status == 429:
        return MessagingThrottled(
            "Messaging asks to slow down.",
            retry_after_seconds=DEFAULT_RETRY_AFTER_SECONDS if wait is None else wait,
        )
    if status >= 500 or status == 408:
        return MessagingUncertain(f"Messaging answered {status}.", retry_after_seconds=wait)
    detail = response.text[:300]
    return MessagingRefused(f"Messaging refused ({status}): {detail}", status_code=status)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds from now; the header holds seconds or an HTTP date."""
    raw = response.headers.get("Retry-After", "").strip()
    if raw.isdigit():
        return float(raw)
    try:
        return max(0.0, (parsedate_to_datetime(raw) - timezone.now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise MessagingUncertain("Messaging's answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise MessagingUncertain("Messaging's answer is not an object.")
    return answer


def _message_json(message: Message) -> dict[str, Any]:
    to = {
        "customerId": message.to.customer_id,
        "contactId": message.to.contact_id,
        "email": message.to.email,
        "phoneNumber": message.to.phone_number,
        "authUserId": message.to.auth_user_id,
    }
    return {
        "idempotencyKey": message.idempotency_key,
        "channel": str(message.channel),
        "templateId": message.template_id,
        "to": {name: value for name, value in to.items() if value is not None},
        "variables": dict(message.variables),
        "metadata": dict(message.metadata),
    }


def _result(item: Mapping[str, Any]) -> Result:
    return Result(
        idempotency_key=item["idempotencyKey"],
        status=Status(item["status"]),
        message_id=item.get("messageId"),
        reason=item.get("reason"),
    )


def _templates(page: Mapping[str, Any]) -> list[Template]:
    try:
        return [
            Template(
                id=item["id"],
                name=item["name"],
                channel=Channel(item["channel"]),
                category=item.get("category") or "MARKETING",
                variables=tuple(item.get("variables") or ()),
            )
            for item in page["items"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise MessagingUncertain("Messaging's list of templates could not be read.") from error


def _in_parts(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    remaining = iter(ids)
    while part := list(islice(remaining, size)):
        yield part
