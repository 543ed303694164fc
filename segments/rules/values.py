"""Reading the value of a rule: its type, its limits, and the path of what is wrong with it."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from segments.rules.clock import DAY_UNITS, UNITS, Span
from segments.rules.errors import RuleError
from segments.rules.fields import Field, Kind
from segments.rules.operators import Shape

MAX_ITEMS = 1_000
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)", re.ASCII
)
INT8 = range(-(2**63), 2**63)

Read = Callable[[Field, Any, str], Any]


def read_value(field: Field, shape: Shape, value: Any, path: str) -> Any:
    """The value as Python has it: text, int or Decimal, date, aware datetime, UUID, Span, a list
    or a pair of these. Raises RuleError.
    """
    match shape:
        case Shape.ONE:
            return read_one(field, value, path)
        case Shape.MANY:
            return [read_one(field, v, p) for v, p in items(value, path)]
        case Shape.PAIR:
            return read_pair(field, value, path)
        case Shape.WHEN:
            return read_when(field, value, path)
        case Shape.DAY:
            return read_day(value, path)
        case Shape.SPAN:
            return read_span(value, path, DAY_UNITS if field.kind is Kind.DATE else UNITS)
        case Shape.DAYS:
            return read_span(value, path, ("days",))
        case _:
            raise AssertionError(shape)


def items(value: Any, path: str) -> list[tuple[Any, str]]:
    """Each item with its path."""
    if not isinstance(value, list):
        raise RuleError(path, "A list is needed, as in [“a”, “b”].")
    if not value:
        raise RuleError(path, "The list is empty.")
    if len(value) > MAX_ITEMS:
        raise RuleError(path, f"A list has at most {MAX_ITEMS:,} items; this one {len(value):,}.")
    return [(item, f"{path}[{index}]") for index, item in enumerate(value)]


def read_one(field: Field, value: Any, path: str) -> Any:
    match field.kind:
        case Kind.NUMBER:
            return read_number(value, path)
        case Kind.CHOICE:
            return read_choice(field, value, path)
        case Kind.SEGMENT:
            return read_uuid(value, path)
        case _:
            return read_text(value, path)


def read_text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RuleError(path, "A text is needed.")
    if not value:
        raise RuleError(path, "The text is empty; use isNull to ask for nothing.")
    return storable(value, path)


def storable(value: str, path: str) -> str:
    """``value``, if PostgreSQL can hold it: no NUL, no half of a surrogate pair."""
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise RuleError(path, "The text has a character that no stored text can have.")
    return value


def read_number(value: Any, path: str) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RuleError(path, "A number is needed.")
    if not math.isfinite(value):
        raise RuleError(path, "The number has no end.")
    if isinstance(value, int) and value in INT8:
        return value
    return Decimal(repr(value))


def read_choice(field: Field, value: Any, path: str) -> str:
    known = field.choices.values if field.choices else []
    if not isinstance(value, str) or value not in known:
        raise RuleError(path, f"One of {', '.join(known)} is needed.")
    return value


def read_uuid(value: Any, path: str) -> UUID:
    try:
        return UUID(value) if isinstance(value, str) else UUID("")
    except ValueError:
        raise RuleError(path, "An id is needed, such as 0197….") from None


def read_day(value: Any, path: str) -> date:
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise RuleError(path, "A day is needed, as in 2026-03-31.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise RuleError(path, f"There is no day {value}.") from None


def read_when(field: Field, value: Any, path: str) -> date:
    """A day, or where the field has times also a moment."""
    if field.kind is Kind.DATE or (isinstance(value, str) and DAY.fullmatch(value)):
        return read_day(value, path)
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        example = "2026-03-31T14:00:00+02:00"
        raise RuleError(path, f"A day is needed, or a time with its offset, as in {example}.")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RuleError(path, f"There is no time {value}.") from None


def read_pair(field: Field, value: Any, path: str) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise RuleError(path, "A list of two is needed: [low, high].")
    low, high = (_read_end(field, v, f"{path}[{i}]") for i, v in enumerate(value))
    if isinstance(low, datetime) != isinstance(high, datetime):
        raise RuleError(path, "Give two days, or two times.")
    if low > high:
        raise RuleError(path, "The low end is above the high end.")
    return low, high


def _read_end(field: Field, value: Any, path: str) -> Any:
    if field.kind is Kind.NUMBER:
        return read_number(value, path)
    return read_when(field, value, path)


def read_span(value: Any, path: str, units: tuple[str, ...]) -> Span:
    if not isinstance(value, dict):
        raise RuleError(path, 'An amount is needed, as in {"amount": 6, "unit": "weeks"}.')
    only_keys(value, ("amount", "unit"), path)
    amount, unit = value.get("amount"), value.get("unit")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 1:
        raise RuleError(f"{path}.amount", "A whole number from 1 is needed.")
    if not isinstance(unit, str) or unit not in units:
        raise RuleError(f"{path}.unit", f"One of {', '.join(units)} is needed.")
    return Span(amount, unit)  # type: ignore[arg-type]


def read_count(value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in range(2**31):
        raise RuleError(path, "A whole number from 0 is needed.")
    return value


def only_keys(value: dict[str, Any], known: tuple[str, ...], path: str) -> None:
    for key in value:
        if key not in known:
            raise RuleError(f"{path}.{key}", f"Nothing of this name is known; {_listed(known)}.")


def _listed(names: tuple[str, ...]) -> str:
    return f"there may be {', '.join(names)}"
