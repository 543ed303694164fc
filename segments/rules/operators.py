"""The only list of how things may be compared.

An entry says how an operator is called, what value it takes, how it reads in a sentence after
“whose <field>”, and the SQL it becomes. An operator that ``negates`` another is its opposite in
every case, null included, so it has no SQL of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.expressions import Combinable

from segments.models import CustomerSegmentMembership
from segments.rules import sql
from segments.rules.clock import Clock, Span
from segments.rules.fields import Kind


class Shape(Enum):
    """What value an operator takes."""

    NONE = "nothing"
    ONE = "one value"
    MANY = "a list"
    PAIR = "low and high"
    WHEN = "a day or a time"
    DAY = "a day"
    SPAN = "an amount and a unit"
    DAYS = "a number of days"


Build = Callable[[Combinable, Any, Clock], Q]


@dataclass(frozen=True)
class Operator:
    name: str
    label: str
    shape: Shape
    sentence: str
    build: Build | None = None
    negates: str = ""


def _sign(sign: str) -> Build:
    return lambda left, value, clock: sql.compare(left, sign, value)


def _text(template: str) -> Build:
    def build(left: Combinable, value: str, clock: Clock) -> Q:
        found = Q(sql.Condition(sql.folded(left), sql.folded(value), template=template))
        # White space alone would be found in blank texts, which count as nothing.
        return found & sql.opposite(sql.is_blank(left)) if value.isspace() else found

    return build


def _text_in(left: Combinable, values: list[str], clock: Clock) -> Q:
    wanted = [sql.folded(value) for value in values if not value.isspace()]
    return sql.is_one_of(sql.folded(left), wanted) if wanted else sql.NEVER


def _ends_with(left: Combinable, value: str, clock: Clock) -> Q:
    tail = sql.Text(sql.folded(left), sql.Whole(sql.folded(value), function="length"),
                    function="right")  # fmt: skip
    found = Q(sql.Condition(tail, sql.folded(value), sign="="))
    return found & sql.opposite(sql.is_blank(left)) if value.isspace() else found


def _ids(left: Combinable, values: list[str], clock: Clock) -> Q:
    ids = [found for value in values if (found := _as_uuid(value))]
    return Q(pk__in=ids) if ids else sql.NEVER


def _as_uuid(text: str) -> UUID | None:
    """The id that ``text`` spells the way we write ids; no other text equals one."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def _in(left: Combinable, values: list[Any], clock: Clock) -> Q:
    return sql.is_one_of(left, [Value(value) for value in values])


def _between(left: Combinable, pair: tuple[Any, Any], clock: Clock) -> Q:
    return sql.between(left, *pair)


def _moment_before(left: Combinable, value: date, clock: Clock) -> Q:
    limit = value if isinstance(value, datetime) else clock.starts(value)
    return sql.compare(left, "<", limit)


def _moment_after(left: Combinable, value: date, clock: Clock) -> Q:
    if isinstance(value, datetime):
        return sql.compare(left, ">", value)
    return sql.compare(left, ">=", clock.ends(value))


def _moment_on(left: Combinable, value: date, clock: Clock) -> Q:
    return sql.compare(left, ">=", clock.starts(value)) & sql.compare(left, "<", clock.ends(value))


def _moment_between(left: Combinable, pair: tuple[date, date], clock: Clock) -> Q:
    low, high = pair
    if isinstance(low, datetime):
        return sql.between(left, low, high)
    return sql.compare(left, ">=", clock.starts(low)) & sql.compare(left, "<", clock.ends(high))


def _moment_within(direction: Literal[-1, 1]) -> Build:
    def build(left: Combinable, value: Span, clock: Clock) -> Q:
        ends = sorted((clock.now, clock.moved(value, direction)))
        return sql.between(left, *ends)

    return build


def _date_within(direction: Literal[-1, 1]) -> Build:
    def build(left: Combinable, value: Span, clock: Clock) -> Q:
        ends = sorted((clock.today, clock.day_moved(value, direction)))
        return sql.between(left, *ends)

    return build


def _anniversary(direction: Literal[-1, 1]) -> Build:
    def build(left: Combinable, value: Span, clock: Clock) -> Q:
        today = clock.today
        days = timedelta(days=min(value.amount, sql.LONGEST_YEAR))
        first, last = sorted((today, today + direction * days))
        return sql.has_anniversary(left, first, last, today)

    return build


def _in_segments(left: Combinable, values: list[UUID], clock: Clock) -> Q:
    members = CustomerSegmentMembership.objects.filter(
        segment_id__in=values, customer_id=OuterRef("pk")
    )
    return Q(Exists(members))


def _null(test: Callable[[Combinable], Q]) -> tuple[Operator, Operator]:
    return (
        Operator("isNull", "is empty", Shape.NONE, "is not known", lambda left, _, __: test(left)),
        Operator("isNotNull", "is filled in", Shape.NONE, "is known", negates="isNull"),
    )


_EQUAL = (
    Operator("equals", "is", Shape.ONE, "is {value}", _sign("=")),
    Operator("notEquals", "is not", Shape.ONE, "is not {value}", negates="equals"),
)
_LISTED = (
    Operator("in", "is any of", Shape.MANY, "is {value}", _in),
    Operator("notIn", "is none of", Shape.MANY, "is not {value}", negates="in"),
)
_CALENDAR = (
    ("before", "is before", Shape.WHEN, "was before {value}"),
    ("after", "is after", Shape.WHEN, "was after {value}"),
    ("on", "is on", Shape.DAY, "was on {value}"),
    ("between", "is between", Shape.PAIR, "was between {value}"),
    ("withinLast", "is in the last", Shape.SPAN, "was in the last {value}"),
    ("withinNext", "is in the next", Shape.SPAN, "is in the next {value}"),
)


def _texts(equals: Build, listed: Build) -> tuple[Operator, ...]:
    return (
        Operator("equals", "is", Shape.ONE, "is {value}", equals),
        Operator("notEquals", "is not", Shape.ONE, "is not {value}", negates="equals"),
        Operator("contains", "contains", Shape.ONE, "contains {value}",
                 _text("(strpos(%(expressions)s) > 0)")),
        Operator("notContains", "does not contain", Shape.ONE, "does not contain {value}",
                 negates="contains"),
        Operator("startsWith", "starts with", Shape.ONE, "starts with {value}",
                 _text("starts_with(%(expressions)s)")),
        Operator("endsWith", "ends with", Shape.ONE, "ends with {value}", _ends_with),
        Operator("in", "is any of", Shape.MANY, "is {value}", listed),
        Operator("notIn", "is none of", Shape.MANY, "is not {value}", negates="in"),
    )  # fmt: skip


def _times(*builds: Build) -> tuple[Operator, ...]:
    positive = [Operator(*entry, build) for entry, build in zip(_CALENDAR, builds, strict=True)]
    return (
        *positive,
        Operator("notWithinLast", "is not in the last", Shape.SPAN,
                 "was not in the last {value}", negates="withinLast"),
        Operator("notWithinNext", "is not in the next", Shape.SPAN,
                 "is not in the next {value}", negates="withinNext"),
    )  # fmt: skip


_BY_KIND: dict[Kind, tuple[Operator, ...]] = {
    Kind.TEXT: (
        *_texts(lambda left, value, clock: _text_in(left, [value], clock), _text_in),
        *_null(sql.is_blank),
    ),
    Kind.ID: (
        *_texts(lambda left, value, clock: _ids(left, [value], clock), _ids),
        *_null(sql.is_null),
    ),
    Kind.NUMBER: (
        *_EQUAL,
        Operator("greaterThan", "is more than", Shape.ONE, "is more than {value}", _sign(">")),
        Operator("greaterThanOrEqual", "is at least", Shape.ONE, "is at least {value}",
                 _sign(">=")),
        Operator("lessThan", "is less than", Shape.ONE, "is less than {value}", _sign("<")),
        Operator("lessThanOrEqual", "is at most", Shape.ONE, "is at most {value}", _sign("<=")),
        Operator("between", "is between", Shape.PAIR, "is between {value}", _between),
        *_LISTED,
        *_null(sql.is_null),
    ),
    Kind.CHOICE: (*_EQUAL, *_LISTED, *_null(sql.is_null)),
    Kind.BOOLEAN: (
        Operator("isTrue", "yes", Shape.NONE, "is given",
                 lambda left, _, __: sql.compare(left, "=", True)),
        Operator("isFalse", "no", Shape.NONE, "is not given",
                 lambda left, _, __: sql.compare(left, "=", False)),
        *_null(sql.is_null),
    ),
    Kind.MOMENT: (
        *_times(_moment_before, _moment_after, _moment_on, _moment_between,
                _moment_within(-1), _moment_within(1)),
        *_null(sql.is_null),
    ),
    Kind.DATE: (
        *_times(_sign("<"), _sign(">"), _sign("="), _between, _date_within(-1), _date_within(1)),
        Operator("anniversaryWithinNext", "has its day in the next", Shape.DAYS,
                 "comes round in the next {value}", _anniversary(1)),
        Operator("anniversaryWithinLast", "had its day in the last", Shape.DAYS,
                 "came round in the last {value}", _anniversary(-1)),
        *_null(sql.is_null),
    ),
    Kind.TAGS: (
        Operator("hasAny", "include any of", Shape.MANY, "include {value}",
                 lambda left, value, _: sql.share(left, "&&", value)),
        Operator("hasAll", "include all of", Shape.MANY, "include {value}",
                 lambda left, value, _: sql.share(left, "@>", value)),
        Operator("hasNone", "include none of", Shape.MANY, "do not include {value}",
                 negates="hasAny"),
        Operator("isEmpty", "are none", Shape.NONE, "are none", lambda left, _, __: Q(
            sql.Condition(left, template="(cardinality(%(expressions)s) = 0)"))),
        Operator("isNotEmpty", "are some", Shape.NONE, "are some", negates="isEmpty"),
        *_null(sql.is_null),
    ),
    Kind.SEGMENT: (
        Operator("in", "is any of", Shape.MANY, "include {value}", _in_segments),
        Operator("notIn", "is none of", Shape.MANY, "do not include {value}", negates="in"),
    ),
    Kind.IDS: _null(sql.is_empty_json),
}  # fmt: skip

OPERATORS: Mapping[Kind, Mapping[str, Operator]] = {
    kind: {operator.name: operator for operator in operators}
    for kind, operators in _BY_KIND.items()
}

# How often something happened; these take a whole number from 0.
COUNT_OPERATORS: Mapping[str, str] = {
    "countAtLeast": "at least",
    "countAtMost": "at most",
    "countExactly": "exactly",
}
