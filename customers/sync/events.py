"""Values that pass between the doors, the translators and whoever follows an event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from customers.services.activities import NewActivity
from customers.services.consent import Preference
from customers.services.facts import PersonFacts


@dataclass(frozen=True)
class InboundEvent:
    """An event as its source told it (CloudEvents 1.0), already checked at the door."""

    id: str
    source: str
    type: str
    time: datetime  # When it happened, aware UTC.
    data: dict[str, Any]
    country: str = "ZA"  # Reads phone numbers written without a country code.


@dataclass(frozen=True)
class Outcome:
    """What an event means to us: whom it is about, what we learn, what goes on the timeline."""

    person: PersonFacts
    activity: NewActivity | None = None
    preference: Preference | None = None


@dataclass(frozen=True)
class ProcessedEvent:
    """An event that was taken in, and the rows it ended in."""

    event: InboundEvent
    customer_id: UUID
    activity_id: UUID | None
