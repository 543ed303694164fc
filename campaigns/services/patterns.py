"""When a campaign repeats, in words: every day, on some weekdays, on a day of the month.

Stored as the cron pattern the data model has; words are only a way to write one.
"""

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from campaigns.services.pattern_words import in_words

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
LAST_DAY = "L"


class Repeats(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    PATTERN = "PATTERN"  # A cron pattern that the words do not reach.


@dataclass(frozen=True)
class Rhythm:
    """``weekdays`` are cron's, Sunday is 0; ``day`` is 1 to 31, or L for the month's last."""

    repeats: Repeats
    at: time = time(9)
    weekdays: list[int] = field(default_factory=list)
    day: str = "1"
    pattern: str = ""


def to_pattern(rhythm: Rhythm) -> str:
    """The cron pattern that says the same."""
    when = f"{rhythm.at.minute} {rhythm.at.hour}"
    match rhythm.repeats:
        case Repeats.DAILY:
            return f"{when} * * *"
        case Repeats.WEEKLY:
            return f"{when} * * {','.join(str(day) for day in sorted(rhythm.weekdays))}"
        case Repeats.MONTHLY:
            return f"{when} {rhythm.day} * *"
    return rhythm.pattern


def to_rhythm(pattern: str) -> Rhythm:
    """The words for a pattern; PATTERN for one that they do not reach."""
    as_it_is = Rhythm(Repeats.PATTERN, pattern=pattern)
    parts = pattern.split()
    if len(parts) != 5 or not (parts[0].isdigit() and parts[1].isdigit()) or parts[3] != "*":
        return as_it_is
    minute, hour, day, _, weekdays = parts
    if int(minute) > 59 or int(hour) > 23:
        return as_it_is
    at = time(int(hour), int(minute))
    if day == weekdays == "*":
        return Rhythm(Repeats.DAILY, at, pattern=pattern)
    if day == "*" and all(each in "0123456" and each for each in weekdays.split(",")):
        days = [int(each) for each in weekdays.split(",")]
        return Rhythm(Repeats.WEEKLY, at, weekdays=days, pattern=pattern)
    if weekdays == "*" and (day == LAST_DAY or (day.isdigit() and 1 <= int(day) <= 31)):
        return Rhythm(Repeats.MONTHLY, at, day=day, pattern=pattern)
    return as_it_is


def describe(pattern: str) -> str:
    """``Every Monday and Friday at 09:00``; empty for a pattern that cannot be read."""
    rhythm = to_rhythm(pattern)
    at = f"at {rhythm.at:%H:%M}"
    match rhythm.repeats:
        case Repeats.DAILY:
            return f"Every day {at}"
        case Repeats.WEEKLY:
            *most, last = [WEEKDAYS[day] for day in rhythm.weekdays]
            return f"Every {', '.join(most) + ' and ' if most else ''}{last} {at}"
        case Repeats.MONTHLY:
            day = "the last day" if rhythm.day == LAST_DAY else f"day {rhythm.day}"
            return f"On {day} of every month {at}"
    words = in_words(pattern)
    return f"{words[:1].upper()}{words[1:]}"
