"""What may be asked about an event, beside everything about its customer.

A question about events is asked of activities; each field is a column of the activity that the
customer's rules are asked for (``matching_events`` in services/matching.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Case, DateTimeField, Func, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from customers.choices import ActivityCategory
from segments.rules import sql
from segments.rules.clock import Clock
from segments.rules.fields import Field, Kind, find_field
from segments.rules.values import DAY, MOMENT

PREFIX = "event."
METADATA = "event.metadata."
GROUP = "The event"


def _column(name: str) -> Callable[[Clock], Combinable]:
    return lambda clock: OuterRef(name)


def _event(name: str, kind: Kind, label: str, column: str, **more: Any) -> Field:
    return Field(f"{PREFIX}{name}", kind, label, GROUP, compute=_column(column), **more)


EVENT_FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        _event("category", Kind.CHOICE, "event’s category", "category", choices=ActivityCategory),
        _event("channel", Kind.TEXT, "event’s channel", "channel"),
        _event("sourceService", Kind.TEXT, "event’s source", "source_service"),
        _event("title", Kind.TEXT, "event’s title", "title"),
        _event("occurredAt", Kind.MOMENT, "event’s time", "occurred_at"),
    )
}


def find_event_field(name: str, rule: dict[str, Any]) -> Field | None:
    """The field of that name, of the event or of its customer.

    ``event.metadata.<path>`` goes one object deeper at each dot. Its kind follows from how it is
    asked: a number for numbers, a time for days, times and amounts of time, else a text. What is
    of another type in the event counts as nothing.
    """
    if name.startswith(METADATA):
        path = name.removeprefix(METADATA).split(".")
        return _metadata(name, path, _kind(rule)) if all(path) else None
    return EVENT_FIELDS.get(name) or find_field(name)


def _kind(rule: dict[str, Any]) -> Kind:
    value = rule.get("value")
    first = value[0] if isinstance(value, list) and value else value
    if rule.get("operator") in ("isTrue", "isFalse"):
        return Kind.BOOLEAN
    if isinstance(first, int | float) and not isinstance(first, bool):
        return Kind.NUMBER
    if isinstance(first, dict):
        return Kind.MOMENT
    is_compared = rule.get("operator") in ("before", "after", "on", "between")
    if is_compared and isinstance(first, str) and (DAY.fullmatch(first) or MOMENT.fullmatch(first)):
        return Kind.MOMENT
    return Kind.TEXT


def _metadata(name: str, path: list[str], kind: Kind) -> Field:
    compute = {
        Kind.NUMBER: _number,
        Kind.BOOLEAN: _flag,
        Kind.MOMENT: _moment,
    }.get(kind, _text)
    label = f"event’s {' '.join(path)}"
    return Field(name, kind, label, GROUP, compute=lambda clock: compute(path))


def _text(path: list[str]) -> Combinable:
    return sql.text_under(sql.json_at(OuterRef("metadata"), path[:-1]), path[-1])


def _number(path: list[str]) -> Combinable:
    return _if_typed(path, "number", sql.Number)


def _flag(path: list[str]) -> Combinable:
    return _if_typed(path, "boolean", sql.Flag)


def _if_typed(path: list[str], json_type: str, cast: type[Func]) -> Combinable:
    kind = sql.Text(sql.json_at(OuterRef("metadata"), path), function="jsonb_typeof")
    is_typed = Q(sql.Condition(kind, Value(json_type), sign="="))
    return Case(When(is_typed, then=cast(_text(path))))


def _moment(path: list[str]) -> Combinable:
    """A text without an offset is UTC."""
    text = _text(path)
    is_time = Q(
        sql.Condition(
            text, Value("timestamptz"), template="(pg_input_is_valid(%(expressions)s::text))"
        )
    )
    return Case(When(is_time, then=Cast(text, DateTimeField())))
