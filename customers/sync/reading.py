"""What the translators of every source share: reading an event's ``data``."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from customers.services.facts import (
    FactError,
    Fault,
    PersonFacts,
    as_date,
    as_number,
    as_text,
    as_time,
    read_person,
    read_with,
)
from customers.sync.events import InboundEvent


def fail(path: str, code: str, message: str) -> FactError:
    return FactError([Fault(f"data.{path}", code, message)])


def person_of(event: InboundEvent, also: Iterable[str] = ()) -> PersonFacts:
    """Whom the event is about. Fields of ``also`` are read from beside ``data.customer`` too.

    Raises FactError, of an event that names nobody too.
    """
    said = event.data.get("customer")
    if not isinstance(said, dict):
        raise fail("customer", "required", "An object saying who the customer is.")
    beside = {name: event.data[name] for name in also if name in event.data}
    facts = read_person({**said, **beside}, country=event.country, path="data.customer")
    if not facts.identifiers:
        message = "Nothing here says who it is: an id, an e-mail address or a phone number."
        raise fail("customer", "no_identity", message)
    return facts


def text_of(event: InboundEvent, name: str, *, limit: int = 300) -> str | None:
    """A text of ``data``, trimmed; a number is read as its digits."""
    return _read(event, name, lambda value: as_text(value, max_length=limit))


def number_of(
    event: InboundEvent, name: str, *, low: int, high: int, places: int = 2
) -> Decimal | None:
    """A number of ``data`` between two bounds."""
    bottom, top = Decimal(low), Decimal(high)
    return _read(event, name, lambda value: as_number(value, low=bottom, high=top, places=places))


def date_of(event: InboundEvent, name: str) -> date | None:
    """A calendar day of ``data``."""
    return _read(event, name, as_date)


def time_of(event: InboundEvent, name: str) -> datetime | None:
    """A moment of ``data``, with its offset."""
    return _read(event, name, as_time)


def required(event: InboundEvent, name: str, value: Any) -> Any:
    if value is None:
        raise fail(name, "required", "This is required.")
    return value


def _read(event: InboundEvent, name: str, reader: Callable[[Any], Any]) -> Any:
    value = event.data.get(name)
    return None if value in (None, "") else read_with(reader, value, path=f"data.{name}")


def rest_of(event: InboundEvent) -> dict[str, Any]:
    """The event's own data, without the person, for the timeline's details."""
    return {name: value for name, value in event.data.items() if name != "customer"}
