"""Messaging in this process's memory, for tests: the contract's behaviour without a network."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import (
    BATCH_LIMIT,
    Message,
    MessagingThrottled,
    MessagingUncertain,
    Reason,
    Rendered,
    Result,
    Status,
    Template,
    UnknownTemplate,
)

TEXTS = {
    "welcome-email": ("Welcome to {{clubName}}", "Dear {{firstName}}, welcome to the club."),
    "newsletter-email": (
        "News from {{clubName}}",
        "Dear {{firstName}}, here is this month's news.",
    ),
    "offer-sms": (None, "{{firstName}}, play this week for less."),
    "reminder-push": (None, "{{firstName}}, your tee time is near."),
}
TEMPLATES = (
    Template("welcome-email", "Welcome", Channel.EMAIL, "TRANSACTIONAL", ("firstName", "clubName")),
    Template(
        "newsletter-email", "Newsletter", Channel.EMAIL, "MARKETING", ("firstName", "clubName")
    ),
    Template("offer-sms", "Midweek offer", Channel.SMS, "MARKETING", ("firstName",)),
    Template("reminder-push", "Tee time reminder", Channel.PUSH, "TRANSACTIONAL", ("firstName",)),
)


class MemoryGateway:
    """Keeps what it accepted in ``inbox``, in order.

    Knobs: ``refuse`` answers for one customer; ``fail_next`` makes the next calls of
    ``send_batch`` raise, before or after accepting.
    """

    def __init__(self) -> None:
        self.inbox: list[tuple[str, Message]] = []
        self.requests: list[tuple[str, tuple[Message, ...]]] = []
        self.segments: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._outcomes: dict[tuple[str, str], tuple[Message, Result]] = {}
        self._refused: dict[str, Reason] = {}
        self._failures: list[tuple[Exception, bool]] = []
        self._numbers = itertools.count(1)

    @classmethod
    def from_settings(cls) -> "MemoryGateway":
        return cls()

    def refuse(self, customer_id: str, reason: Reason) -> None:
        """Reject every new message to that customer."""
        self._refused[str(customer_id)] = reason

    def throttle_next(self, *, retry_after_seconds: float = 1.0) -> None:
        """Answer the next batch with "slow down"; nothing of it is accepted."""
        self._failures.append(
            (MessagingThrottled("Slow down.", retry_after_seconds=retry_after_seconds), False)
        )

    def fail_next(self, *, after_accepting: bool) -> None:
        """Lose the answer to the next batch, before or after it was accepted."""
        self._failures.append((MessagingUncertain("No answer came."), after_accepting))

    def sent_to(self, customer_id: str) -> list[Message]:
        """What one customer was sent, in order."""
        return [message for _, message in self.inbox if message.to.customer_id == str(customer_id)]

    def send_batch(self, tenant_id: str, messages: Sequence[Message]) -> list[Result]:
        if len(messages) > BATCH_LIMIT:
            raise ValueError(f"A batch holds at most {BATCH_LIMIT} messages.")
        self.requests.append((tenant_id, tuple(messages)))
        failure, after_accepting = self._failures.pop(0) if self._failures else (None, False)
        if failure and not after_accepting:
            raise failure
        results = [self._take(tenant_id, message) for message in messages]
        if failure:
            raise failure
        return results

    def find_by_key(self, tenant_id: str, key: str) -> Result | None:
        known = self._outcomes.get((tenant_id, key))
        return known[1] if known else None

    def list_templates(self, tenant_id: str, channel: Channel | None = None) -> list[Template]:
        return [each for each in TEMPLATES if channel in (None, each.channel)]

    def render_template(
        self, tenant_id: str, template_id: str, variables: Mapping[str, Any]
    ) -> Rendered:
        if template_id not in TEXTS:
            raise UnknownTemplate(template_id)
        subject, text = TEXTS[template_id]
        return Rendered(
            text=_filled(text, variables), subject=_filled(subject, variables) if subject else None
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
        members = self.segments[tenant_id, messaging_segment_id]
        members.update(add)
        members.difference_update(remove)

    def _take(self, tenant_id: str, message: Message) -> Result:
        place = (tenant_id, message.idempotency_key)
        if place in self._outcomes:
            first, result = self._outcomes[place]
            return result if first == message else Result(place[1], Status.CONFLICT)
        reason = self._reason_against(message)
        if reason:
            result = Result(place[1], Status.REJECTED, reason=reason)
        else:
            result = Result(place[1], Status.ACCEPTED, message_id=f"msg-{next(self._numbers)}")
            self.inbox.append((tenant_id, message))
        self._outcomes[place] = (message, result)
        return result

    def _reason_against(self, message: Message) -> Reason | None:
        if message.to.customer_id in self._refused:
            return self._refused[message.to.customer_id]
        known = next((each for each in TEMPLATES if each.id == message.template_id), None)
        if known is None or known.channel != message.channel:
            return Reason.UNKNOWN_TEMPLATE
        addresses = {Channel.EMAIL: message.to.email, Channel.SMS: message.to.phone_number}
        if message.channel in addresses and not addresses[message.channel]:
            return Reason.INVALID_ADDRESS
        return None


def _filled(text: str, variables: Mapping[str, Any]) -> str:
    return re.sub(r"{{(\w+)}}", lambda match: str(variables.get(match[1], "")), text)
