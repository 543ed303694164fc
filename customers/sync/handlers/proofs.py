"""Events that prove an identifier: the service that gave it speaks of it, or somebody answered."""

from crm_site.messaging.channels import Channel
from customers.services.identity import OWN_LINK
from customers.services.verification import Proof, verify_aliases
from customers.sync.events import ProcessedEvent
from customers.sync.reading import person_of
from customers.sync.registry import follows

# That a message was delivered shows that a mailbox is there, not whose it is.
ANSWERED_OVER = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone_number",
    Channel.WHATSAPP: "phone_number",
}


@follows("messaging", "message.opened", "message.clicked", "message.replied")
def prove_addresses(events: list[ProcessedEvent]) -> None:
    """Somebody answered over the address that the event names."""
    verify_aliases(
        [
            proof
            for item in events
            if (name := ANSWERED_OVER.get(Channel(item.event.data["channel"])))
            for proof in _proofs(item, name)
        ]
    )


@follows("scl", "member.created", "member.updated")
@follows("teetime", "player.created", "player.updated")
@follows("messaging", "contact.linked")
def prove_links(events: list[ProcessedEvent]) -> None:
    """A service knows the ids it gave; and a sign-in's, from whoever signed in there."""
    verify_aliases(
        [
            proof
            for item in events
            for proof in _proofs(item, OWN_LINK[item.event.source], "auth_user_id")
        ]
    )


def _proofs(item: ProcessedEvent, *names: str) -> list[Proof]:
    said = person_of(item.event).identifiers
    return [
        Proof(item.customer_id, name, said[name], item.event.time) for name in names if name in said
    ]
