"""Messaging: contacts, consent, and what became of messages."""

from crm_site.messaging.channels import Channel
from customers.choices import ActivityCategory
from customers.models.profile import CONSENT_FLAGS
from customers.services.activities import NewActivity
from customers.services.consent import Preference
from customers.sync.events import InboundEvent, Outcome
from customers.sync.reading import fail, person_of, required, rest_of, text_of, time_of
from customers.sync.registry import handles

SPOKEN = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Channel.PUSH: "push messages",
    Channel.WHATSAPP: "WhatsApp",
    Channel.IN_APP: "in-app messages",
}


@handles("messaging", "contact.linked")
def contact_linked(event: InboundEvent) -> Outcome:
    facts = person_of(event)
    if "messaging_contact_id" not in facts.identifiers:
        raise fail("customer.messagingContactId", "required", "This is required.")
    return Outcome(facts)


@handles("messaging", "contactPreference.updated")
def preference_updated(event: InboundEvent) -> Outcome:
    facts = person_of(event)
    channel = _channel(event)
    if channel not in CONSENT_FLAGS:
        known = ", ".join(CONSENT_FLAGS)
        raise fail("channel", "invalid_choice", f"One of {known}.")
    allowed = event.data.get("optedIn")
    if not isinstance(allowed, bool):
        raise fail("optedIn", "invalid", "True or false is expected.")
    changed_at = required(event, "changedAt", time_of(event, "changedAt"))
    origin = text_of(event, "source", limit=100)
    verb = "Agreed to" if allowed else "Declined"
    return Outcome(
        facts,
        NewActivity(
            type="CONSENT_CHANGED",
            category=ActivityCategory.COMMUNICATION,
            title=f"{verb} {SPOKEN[channel]}",
            channel=channel,
            description=f"Via {origin}" if origin else None,
            metadata=rest_of(event),
        ),
        Preference(channel, allowed, changed_at),
    )


MESSAGES = {
    "message.sent": ("MESSAGE_SENT", "Was sent {a}"),
    "message.delivered": ("MESSAGE_DELIVERED", "Received {a}"),
    "message.bounced": ("MESSAGE_BOUNCED", "{A} could not be delivered"),
    "message.opened": ("MESSAGE_OPENED", "Opened {a}"),
    "message.clicked": ("MESSAGE_CLICKED", "Clicked a link in {a}"),
    "message.unsubscribed": ("MESSAGE_UNSUBSCRIBED", "Unsubscribed from {channel}"),
    "message.complained": ("MESSAGE_COMPLAINED", "Reported {a} as spam"),
    "message.replied": ("MESSAGE_REPLIED", "Replied to {a}"),
}
NOUNS = {
    Channel.EMAIL: "an e-mail",
    Channel.SMS: "an SMS",
    Channel.PUSH: "a push message",
    Channel.WHATSAPP: "a WhatsApp message",
    Channel.IN_APP: "an in-app message",
}


@handles("messaging", *MESSAGES)
def message(event: InboundEvent) -> Outcome | None:
    metadata = event.data.get("metadata")
    if isinstance(metadata, dict) and metadata.get("isTest"):
        return None  # Sent to staff to look at: about no customer.
    facts = person_of(event)
    channel = _channel(event)
    kind, title = MESSAGES[event.type]
    noun = NOUNS[channel]
    is_engagement = event.type in ("message.opened", "message.clicked")
    return Outcome(
        facts,
        NewActivity(
            type=kind,
            category=(
                ActivityCategory.ENGAGEMENT if is_engagement else ActivityCategory.COMMUNICATION
            ),
            title=title.format(a=noun, A=noun.capitalize(), channel=SPOKEN[channel]),
            channel=channel,
            description=text_of(event, "linkUrl", limit=8_000),
            metadata=_without_traces(event),
            source_id=text_of(event, "messageId", limit=128),
        ),
    )


def _without_traces(event: InboundEvent) -> dict[str, object]:
    """The details without address and device, which are kept for a while only, elsewhere."""
    traces = {"userAgent", "ipAddress", "location"}
    return {name: value for name, value in rest_of(event).items() if name not in traces}


def _channel(event: InboundEvent) -> Channel:
    value = required(event, "channel", text_of(event, "channel", limit=16))
    if value not in SPOKEN:
        raise fail("channel", "invalid_choice", f"One of {', '.join(SPOKEN)}.")
    return Channel(value)
