"""The few shapes of SQL that rules become. Every value is bound, none is written into a text.

A condition is null where a value is; ``opposite`` is true for null, so a query never meets a
bare NOT over something that may be null.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    DecimalField,
    Exists,
    Func,
    IntegerField,
    Q,
    Subquery,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import JSONField

# Python's idea of white space, for PostgreSQL's btrim.
WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())

# The last anniversary of a day, and the next, are at most so many days off.
LONGEST_YEAR = 366


class Condition(Func):
    """A yes or no about a row: its parts, joined by ``sign``, put into ``template``."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, *parts: Any, template: str = "(%(expressions)s)", sign: str = ",") -> None:
        super().__init__(*parts, template=template, arg_joiner=f" {sign} ")


class Text(Func):
    output_field = TextField()


class Whole(Func):
    output_field = IntegerField()


class Number(Func):
    """A text that is known to be one as a number, of any size and precision."""

    template = "(%(expressions)s)::numeric"
    output_field = DecimalField()


class Flag(Func):
    template = "(%(expressions)s)::boolean"
    output_field = BooleanField()


class RowCount(Subquery):
    """How many rows a query has."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


NEVER = Q(Condition(template="(false)"))


def opposite(condition: Q) -> Q:
    """True where ``condition`` is false or null."""
    if len(condition.children) == 1 and isinstance(condition.children[0], Exists):
        return Q(~condition.children[0])  # Never null, and NOT EXISTS can become an anti-join.
    return Q(Condition(condition, template="((%(expressions)s) IS NOT TRUE)"))


def compare(left: Combinable, sign: str, value: object) -> Q:
    return Q(Condition(left, Value(value), sign=sign))


def between(left: Combinable, low: object, high: object) -> Q:
    """Both ends included."""
    return compare(left, ">=", low) & compare(left, "<=", high)


def is_one_of(left: Combinable, values: Iterable[Combinable]) -> Q:
    listed = Func(*values, template="(%(expressions)s)", output_field=BooleanField())
    return Q(Condition(left, listed, sign="IN"))


def is_null(left: Combinable) -> Q:
    return Q(Condition(left, template="(%(expressions)s IS NULL)"))


def folded(text: object) -> Combinable:
    """A text without its case, whatever the script; accents stay (segments.0002)."""
    value = Value(text) if isinstance(text, str) else text
    return Text(value, function="fairway_fold")


def is_blank(text: Combinable) -> Q:
    """Null, empty or white space only."""
    trimmed = Text(text, Value(WHITE_SPACE), function="btrim")
    return Q(Condition(trimmed, template="(coalesce(%(expressions)s, '') = '')"))


def is_empty_json(document: Combinable) -> Q:
    """Null, to the database or to JSON."""
    return Q(Condition(document, template="(coalesce(%(expressions)s, 'null') = 'null')"))


def text_under(document: Combinable, key: str) -> Combinable:
    """The text at one key of a JSON object; a number as its text."""
    return Text(document, Value(key), template="(%(expressions)s::text)", arg_joiner=" ->> ")


def json_at(document: Combinable, path: Iterable[str]) -> Combinable:
    """What lies under ``path``, one object deeper at each step; null where there is none."""
    for key in path:
        document = Func(
            document,
            Value(key),
            template="(%(expressions)s::text)",
            arg_joiner=" -> ",
            output_field=JSONField(),
        )
    return document


def equals_json(document: Combinable, value: object) -> Q:
    return Q(Condition(document, Value(value, JSONField()), template="(%(expressions)s)", sign="="))


def share(array: Combinable, sign: str, values: list[str]) -> Q:
    """``array`` and ``values`` compared by an array operator: ``&&`` or ``@>``."""
    return Q(Condition(array, Value(values), template="(%(expressions)s::varchar[])", sign=sign))


def day_in_year(day: Combinable, *, leap: bool) -> Combinable:
    """Month and day as a number, 1231 for 31 December; 29 February as 228 in a common year."""
    number = "(extract(month FROM %(expressions)s) * 100 + extract(day FROM %(expressions)s))::int"
    if leap:
        return Whole(day, template=number)
    return Whole(day, template=f"CASE {number} WHEN 229 THEN 228 ELSE {number} END")


def age(birthday: Combinable, today: date) -> Combinable:
    """Whole years today; one more from the anniversary on."""
    born = Whole(birthday, template="extract(year FROM %(expressions)s)::int")
    not_yet = Whole(
        day_in_year(birthday, leap=is_leap(today.year)),
        Value(today.month * 100 + today.day),
        template="(%(expressions)s)::int",
        arg_joiner=" > ",
    )
    return Whole(Value(today.year), born, not_yet, template="(%(expressions)s)", arg_joiner=" - ")


def has_anniversary(day: Combinable, first: date, last: date, today: date) -> Q:
    """An anniversary of ``day`` falls on ``first`` to ``last``; neither the day itself nor one of
    a day to come. The window may be cut at a year: every past day has an anniversary in one.
    """
    found = Q()
    for year in range(first.year, last.year + 1):
        start, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        number = day_in_year(day, leap=is_leap(year))
        found |= between(
            number, start.month * 100 + start.day, end.month * 100 + end.day
        ) & compare(day, "<", date(year, 1, 1))
    return compare(day, "<=", today) & found


def is_leap(year: int) -> bool:
    return (date(year, 3, 1) - timedelta(days=1)).day == 29
