"""The Messaging service as the rest of Fairway sees it: what may be asked, and what comes back."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from crm_site.messaging.channels import Channel

BATCH_LIMIT = 500
KEY_LENGTH_LIMIT = 128


class Status(StrEnum):
    """What became of one message of a batch."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # For good; ``Result.reason`` says why.
    IN_PROGRESS = "in_progress"  # A request with the same key is still at work: ask again.
    CONFLICT = "conflict"  # The key was used for another body; this one was not sent.


class Reason(StrEnum):
    """Why a message was rejected."""

    NO_CONSENT = "no_consent"
    INVALID_ADDRESS = "invalid_address"
    UNKNOWN_TEMPLATE = "unknown_template"
    SUPPRESSED = "suppressed"
    CHANNEL_DISABLED = "channel_disabled"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for. ``phone_number`` is E.164."""

    customer_id: str
    contact_id: str | None = None
    email: str | None = None
    phone_number: str | None = None
    auth_user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. Its key and body stay the same on every attempt."""

    idempotency_key: str
    channel: Channel
    template_id: str
    to: Recipient
    variables: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one message; ``message_id`` where it was accepted."""

    idempotency_key: str
    status: Status
    message_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A text that Messaging holds. ``category`` is MARKETING or TRANSACTIONAL."""

    id: str
    name: str
    channel: Channel
    category: str = "MARKETING"
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one recipient would see. Only e-mail has a subject and HTML."""

    text: str
    subject: str | None = None
    html: str | None = None


class MessagingError(Exception):
    """A call to Messaging did not give an answer that can be used."""


class MessagingThrottled(MessagingError):
    """Nothing of this request was accepted; repeat it after ``retry_after_seconds``.

    That is said of this request only: an earlier one with the same keys keeps its own outcome.
    """

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class MessagingUnreachable(MessagingThrottled):
    """No connection came about, so nothing was asked and nothing accepted."""


class MessagingUncertain(MessagingError):
    """A timeout, a reset or a 5xx: any of it may have been accepted.

    Repeat with the same keys, or ask ``find_by_key``; not before ``retry_after_seconds`` where
    that is known.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class MessagingRefused(MessagingError):
    """The request as it stands will never be accepted; ``status_code`` is the HTTP status."""

    def __init__(self, message: str, *, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code


class UnknownTemplate(MessagingRefused):
    """Messaging holds no template of that id for this tenant."""

    def __init__(self, template_id: str) -> None:
        super().__init__(f"There is no template {template_id!r}.", status_code=404)


class MessagingGateway(Protocol):
    """Every call may raise a MessagingError; none is made with a transaction open."""

    def send_batch(self, tenant_id: str, messages: Sequence[Message]) -> list[Result]:
        """Send up to 500 messages; one result each, in the order asked."""

    def find_by_key(self, tenant_id: str, key: str) -> Result | None:
        """What became of the message with that key; None if it was never accepted."""

    def list_templates(self, tenant_id: str, channel: Channel | None = None) -> list[Template]:
        """All templates of the tenant, or those of one channel."""

    def render_template(
        self, tenant_id: str, template_id: str, variables: Mapping[str, Any]
    ) -> Rendered:
        """What one recipient would see; sends nothing. Raises UnknownTemplate."""

    def sync_segment(
        self,
        tenant_id: str,
        messaging_segment_id: str,
        *,
        name: str,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> None:
        """Add and remove customer ids, any number; harmless to repeat."""


def get_gateway() -> MessagingGateway:
    """This process's gateway, of the class that ``settings.MESSAGING_GATEWAY`` names."""
    return _gateway(settings.MESSAGING_GATEWAY, os.getpid())


@cache
def _gateway(path: str, pid: int) -> MessagingGateway:
    # By process: a forked worker must not share its parent's connections.
    gateway: MessagingGateway = import_string(path).from_settings()
    return gateway


def forget_gateway() -> None:
    """Make the next ``get_gateway()`` build a new one, after a change of settings."""
    _gateway.cache_clear()
