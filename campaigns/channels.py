"""Which sender takes a channel's messages. A higher app adds a channel when it starts."""

from collections.abc import Callable, Sequence
from typing import Protocol

from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import Message, Result, get_gateway


class Sender(Protocol):
    """Sends, and says later what became of a key, as ``MessagingGateway`` lays down.

    Both raise its errors, and neither is called with a transaction open.
    """

    def send_batch(self, tenant_id: str, messages: Sequence[Message]) -> list[Result]: ...

    def find_by_key(self, tenant_id: str, key: str) -> Result | None: ...


# Functions that give the sender, so that one is built when first needed and not at start-up.
_senders: dict[Channel, Callable[[], Sender]] = {
    Channel.EMAIL: get_gateway,
    Channel.SMS: get_gateway,
    Channel.PUSH: get_gateway,
    Channel.WHATSAPP: get_gateway,
    Channel.IN_APP: get_gateway,
}


def register_sender(channel: Channel, sender: Callable[[], Sender]) -> None:
    """Let ``sender()`` take the messages of ``channel`` from now on."""
    _senders[channel] = sender


def has_sender(channel: str) -> bool:
    return Channel(channel) in _senders


def sender_for(channel: str) -> Sender:
    """The sender of ``channel``. Raises KeyError where no app supplies one."""
    return _senders[Channel(channel)]()
