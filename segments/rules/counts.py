"""What can be counted per customer: activities, and what higher apps add at start-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from customers.choices import ActivityCategory
from customers.models import Activity
from segments.rules import values
from segments.rules.errors import RuleError
from segments.rules.fields import Field, Kind

Metadata = tuple[tuple[tuple[str, ...], Any], ...]


@dataclass(frozen=True)
class Filter:
    """One thing the counted rows may be narrowed by: a column and how its value is read."""

    column: str
    label: str
    read: Callable[[Any, str], Any]
    choices: type[models.TextChoices] | None = None


@dataclass(frozen=True)
class CountSource:
    """Rows of one table with a customer and an ``occurred_at``, counted by a rule.

    ``noun`` is singular and plural, for the sentence.
    """

    name: str
    noun: tuple[str, str]
    model: type[models.Model]
    filters: Mapping[str, Filter]
    group: str


def choice_filter(column: str, label: str, choices: type[models.TextChoices]) -> Filter:
    field = Field(column, Kind.CHOICE, label, "", choices=choices)
    return Filter(column, label, lambda v, path: values.read_choice(field, v, path), choices)


def text_filter(column: str, label: str) -> Filter:
    return Filter(column, label, values.read_text)


def read_metadata(value: Any, path: str) -> Metadata:
    """``{"course.id": 7}`` as ((("course", "id"), 7),)."""
    if not isinstance(value, dict) or not value:
        raise RuleError(path, 'At least one path and value is needed, as in {"holes": 18}.')
    if len(value) > values.MAX_ITEMS:
        raise RuleError(path, f"At most {values.MAX_ITEMS:,} paths may be named.")
    for key, wanted in value.items():
        where = f"{path}.{key}"
        if not all(values.storable(key, where).split(".")):
            raise RuleError(where, "The path has an empty step.")
        _check_json(wanted, where)
    return tuple((tuple(key.split(".")), wanted) for key, wanted in value.items())


def _check_json(value: Any, path: str) -> None:
    if isinstance(value, str):
        values.storable(value, path)
    elif isinstance(value, float):
        values.read_number(value, path)
    elif isinstance(value, list):
        for item in value:
            _check_json(item, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            values.storable(key, path)
            _check_json(item, path)


ACTIVITY = CountSource(
    "activity",
    ("activity", "activities"),
    Activity,
    {
        "type": text_filter("type", "type"),
        "category": choice_filter("category", "category", ActivityCategory),
        "sourceService": text_filter("source_service", "source"),
        "channel": text_filter("channel", "channel"),
        "metadata": Filter("metadata", "details", read_metadata),
    },
    "Bookings & activity",
)

SOURCES: dict[str, CountSource] = {ACTIVITY.name: ACTIVITY}


def add_source(source: CountSource) -> None:
    """Let rules count more; called once at start-up by the app that owns the table."""
    SOURCES[source.name] = source
