"""Cron patterns that no everyday choice makes, told field by field."""

from calendar import day_name, month_name
from collections.abc import Iterable

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field as CronField

MOST_NAMED = 4  # So many times of a day are named one by one.
PLACES = ("first", "second", "third", "fourth", "fifth")


def in_words(pattern: str) -> str:
    """“at 09:00 on the first Monday”; empty for a pattern that cannot be read."""
    parts = pattern.upper().split()
    if len(parts) != 5:
        return ""
    try:
        return _parts_in_words(parts)
    except CronSimError:
        return ""


def _parts_in_words(parts: list[str]) -> str:
    """Each field by itself, for patterns that are no everyday choice."""
    minute, hour, day, month, weekday = parts
    said = [_clock_in_words(minute, hour)]
    if day != "*":
        said.append(f"on {_month_days(day)}")
    if weekday != "*":
        # Cron's rule: with both given, either will do.
        is_either = not (day.startswith("*") or weekday.startswith("*"))
        said.append(f"{'or ' if is_either else ''}on {_named_weekdays(weekday)}")
    if month != "*":
        said.append(f"in {_listed(month_name[each] for each in _numbers(CronField.MONTH, month))}")
    return " ".join(said)


def _clock_in_words(minute: str, hour: str) -> str:
    minutes, hours = _numbers(CronField.MINUTE, minute), _numbers(CronField.HOUR, hour)
    if len(minutes) * len(hours) <= MOST_NAMED:
        return f"at {_listed(f'{h:02}:{m:02}' for h in hours for m in minutes)}"
    past = f"at {_listed(map(str, minutes))} minutes past"
    often = _repeated(minutes, 60, "minute") if len(minutes) > 1 else ""
    if hourly := _repeated(hours, 24, "hour"):
        return often if often and len(hours) == 24 else f"{hourly} {often or past}"
    return f"{often or past}, between {hours[0]:02}:00 and {hours[-1]:02}:59"


def _repeated(numbers: list[int], whole: int, noun: str) -> str:
    """“every 2 hours”, where the numbers go round the clock evenly."""
    step = whole // len(numbers)
    if numbers != list(range(0, whole, step)):
        return ""
    return f"every {noun}" if step == 1 else f"every {step} {noun}s"


def _month_days(text: str) -> str:
    found = CronField.DAY.parse(text)
    if found == {CronSim.LAST}:
        return "the last day"
    if found == {CronSim.LAST_WEEKDAY}:
        return "the last working day"
    return f"day {_listed(str(each) for each in sorted(found))}"


def _named_weekdays(text: str) -> str:
    if days := _weekdays(text):
        return _listed(day_name[day - 1] for day in days)
    named = []
    for each in sorted(CronField.DOW.parse(text), key=str):
        if isinstance(each, int):
            named.append(day_name[(each or 7) - 1])
            continue
        day, number = each
        place = "last" if number == CronSim.LAST else PLACES[number - 1]
        named.append(f"the {place} {day_name[(day or 7) - 1]}")
    return _listed(named)


def _weekdays(text: str) -> tuple[int, ...]:
    """Days as 1 for Monday to 7 for Sunday; none where the field says more than days."""
    try:
        found = CronField.DOW.parse(text)
    except CronSimError:
        return ()
    if not all(isinstance(each, int) for each in found):
        return ()
    return tuple(sorted({each or 7 for each in found}))  # type: ignore[misc]


def _numbers(field: CronField, text: str) -> list[int]:
    return sorted(each for each in field.parse(text) if isinstance(each, int))


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
