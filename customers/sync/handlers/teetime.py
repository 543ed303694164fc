"""TeeTime: bookings, handicaps, competitions."""

from datetime import datetime

from customers.choices import ActivityCategory
from customers.services.activities import NewActivity
from customers.sync.events import InboundEvent, Outcome
from customers.sync.reading import number_of, person_of, required, rest_of, text_of, time_of
from customers.sync.registry import handles


@handles("teetime", "player.created", "player.updated")
def player(event: InboundEvent) -> Outcome:
    return Outcome(
        person_of(event, also=("handicap", "handicapProvider", "homeClubId", "homeClubName"))
    )


BOOKINGS = {
    "booking.created": ("TEETIME_BOOKED", "Booked a tee time"),
    "booking.cancelled": ("TEETIME_CANCELLED", "Cancelled a tee time"),
    "booking.completed": ("ROUND_PLAYED", "Played a round"),
}

SATURDAY_AND_SUNDAY = (5, 6)


@handles("teetime", *BOOKINGS)
def booking(event: InboundEvent) -> Outcome:
    facts = person_of(event)
    kind, verb = BOOKINGS[event.type]
    booking_id = required(event, "bookingId", text_of(event, "bookingId", limit=128))
    course, tee_time = text_of(event, "course", limit=200), time_of(event, "teeTime")
    players = number_of(event, "players", low=0, high=200, places=0)
    number_of(event, "price", low=0, high=10**10)
    return Outcome(
        facts,
        NewActivity(
            type=kind,
            category=ActivityCategory.BOOKING,
            title=f"{verb} at {course}" if course else verb,
            description=_party(event, tee_time, int(players) if players else 0),
            metadata=rest_of(event) | _day_type(event, tee_time),
            source_id=booking_id,
        ),
    )


def _day_type(event: InboundEvent, tee_time: datetime | None) -> dict[str, str]:
    """Weekend or weekday on the club's own calendar, for rules to ask by."""
    if tee_time is None:
        return {}
    local = datetime.fromisoformat(event.data["teeTime"].strip())
    return {"dayType": "weekend" if local.weekday() in SATURDAY_AND_SUNDAY else "weekday"}


def _party(event: InboundEvent, tee_time: datetime | None, players: int) -> str | None:
    """When and with how many, the hour as TeeTime wrote it: that is the club's own."""
    said = []
    if tee_time:
        local = datetime.fromisoformat(event.data["teeTime"].strip())
        said.append(f"{local:%a} {local.day} {local:%b %Y, %H:%M}")
    if players:
        said.append("1 player" if players == 1 else f"{players} players")
    return " · ".join(said) or None


@handles("teetime", "handicap.updated")
def handicap(event: InboundEvent) -> Outcome:
    facts = person_of(event)
    index = required(event, "handicap", number_of(event, "handicap", low=-20, high=60, places=1))
    provider = text_of(event, "provider", limit=32)
    said = {"handicap": index, "handicap_updated_at": event.time}
    if provider:
        said["handicap_provider"] = provider
    # Better than scratch is written with a plus (World Handicap System, rule 5).
    shown = f"+{-index}" if index < 0 else str(index)
    return Outcome(
        facts.with_fields(said),
        NewActivity(
            type="HANDICAP_UPDATED",
            category=ActivityCategory.GOLF,
            title=f"Handicap is now {shown}",
            description=f"From {provider}" if provider else None,
            metadata=rest_of(event),
        ),
    )


@handles("teetime", "competition.entered", "competition.result")
def competition(event: InboundEvent) -> Outcome:
    facts = person_of(event)
    name = text_of(event, "name", limit=200) or "a competition"
    position = number_of(event, "position", low=1, high=10_000, places=0)
    score = text_of(event, "score", limit=32)
    is_result = event.type == "competition.result"
    finished = f"Finished {_ordinal(int(position))} in {name}" if position else f"Played {name}"
    return Outcome(
        facts,
        NewActivity(
            type="COMPETITION_RESULT" if is_result else "COMPETITION_ENTERED",
            category=ActivityCategory.GOLF,
            title=finished if is_result else f"Entered {name}",
            description=f"Score {score}" if is_result and score else None,
            metadata=rest_of(event),
            source_id=text_of(event, "competitionId", limit=128),
        ),
    )


def _ordinal(number: int) -> str:
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
