"""Messaging as it was when the past campaigns went out: it took every message, and says no more.

The sandbox is not up yet while the demo is seeded, and must not hold thousands of old messages.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from crm_site.devstack.sandbox.catalogue import TEMPLATES
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import (
    Message,
    Rendered,
    Result,
    Status,
    Template,
    UnknownTemplate,
    forget_gateway,
)


class PastMessaging:
    """Accepts whatever it is given; a message's id follows from its key."""

    @classmethod
    def from_settings(cls) -> "PastMessaging":
        return cls()

    def send_batch(self, tenant_id: str, messages: Sequence[Message]) -> list[Result]:
        return [self._accepted(message.idempotency_key) for message in messages]

    def find_by_key(self, tenant_id: str, key: str) -> Result | None:
        return self._accepted(key)

    def list_templates(self, tenant_id: str, channel: Channel | None = None) -> list[Template]:
        return [
            Template(
                each.id, each.name, Channel(each.channel), each.category, tuple(each.variables)
            )
            for each in TEMPLATES
            if channel in (None, each.channel)
        ]

    def render_template(
        self, tenant_id: str, template_id: str, variables: Mapping[str, Any]
    ) -> Rendered:
        raise UnknownTemplate(template_id)

    def sync_segment(
        self,
        tenant_id: str,
        messaging_segment_id: str,
        *,
        name: str,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> None:
        """Segments of the past are nobody's any more."""

    def _accepted(self, key: str) -> Result:
        return Result(key, Status.ACCEPTED, message_id=str(uuid5(NAMESPACE_URL, key)))


@contextmanager
def messaging_of_the_past() -> Iterator[None]:
    """Let this process send to ``PastMessaging`` for a while."""
    usual = settings.MESSAGING_GATEWAY
    settings.MESSAGING_GATEWAY = f"{__name__}.{PastMessaging.__name__}"
    forget_gateway()
    try:
        yield
    finally:
        settings.MESSAGING_GATEWAY = usual
        forget_gateway()
