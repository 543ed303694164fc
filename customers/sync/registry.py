"""Who understands which event. Apps fill this at start-up; a type nobody handles is skipped."""

from collections.abc import Callable

from customers.sync.events import InboundEvent, Outcome, ProcessedEvent

# None: an event that means nothing to us, such as one about a test message.
Translator = Callable[[InboundEvent], Outcome | None]
Follower = Callable[[list[ProcessedEvent]], None]

_translators: dict[tuple[str, str], Translator] = {}
_followers: dict[tuple[str, str], list[Follower]] = {}


def handles(source: str, *event_types: str) -> Callable[[Translator], Translator]:
    """Register the translator of these types. It is pure: raises ``FactError`` or ``DomainError``
    for data it cannot read, and touches no table."""

    def register(translate: Translator) -> Translator:
        for event_type in event_types:
            if (source, event_type) in _translators:
                raise RuntimeError(f"{source} {event_type} has a translator already.")
            _translators[source, event_type] = translate
        return translate

    return register


def follows(source: str, *event_types: str) -> Callable[[Follower], Follower]:
    """Register a function that hears of these types once per batch.

    It runs in the batch's transaction, after profiles and activities are written, with the events
    that succeeded; an error takes the batch back, which is then tried in halves.
    """

    def register(apply: Follower) -> Follower:
        for event_type in event_types:
            _followers.setdefault((source, event_type), []).append(apply)
        return apply

    return register


def translator_of(source: str, event_type: str) -> Translator | None:
    return _translators.get((source, event_type))


def tell_followers(processed: list[ProcessedEvent]) -> None:
    """Give every follower its share of a batch, in one call each."""
    shares: dict[Follower, list[ProcessedEvent]] = {}
    for item in processed:
        for apply in _followers.get((item.event.source, item.event.type), ()):
            shares.setdefault(apply, []).append(item)
    for apply, share in shares.items():
        apply(share)
