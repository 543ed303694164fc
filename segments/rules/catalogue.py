"""The language as data: what the builder offers and docs/rules.md lists."""

from typing import Any

from segments.rules.clock import DAY_UNITS, UNITS
from segments.rules.counts import SOURCES
from segments.rules.fields import CUSTOMER_FIELDS, Field, Kind
from segments.rules.grammar import MAX_DEPTH, MAX_LEAVES
from segments.rules.operators import COUNT_OPERATORS, OPERATORS
from segments.rules.starters import STARTERS


def catalogue() -> dict[str, Any]:
    """Fields, operators by kind of field, what can be counted, something to start from, and the
    limits, as JSON.
    """
    return {
        "fields": [_field(field) for field in CUSTOMER_FIELDS.values()],
        "operators": {
            kind.value: [
                {"name": operator.name, "label": operator.label, "shape": operator.shape.name}
                for operator in operators.values()
            ]
            for kind, operators in OPERATORS.items()
        },
        "counts": [
            {
                "name": source.name,
                "label": source.noun[1],
                "group": source.group,
                "filters": [
                    {"name": name, "label": entry.label, "choices": _choices(entry.choices)}
                    for name, entry in source.filters.items()
                ],
            }
            for source in SOURCES.values()
        ],
        "countOperators": [
            {"name": name, "label": label} for name, label in COUNT_OPERATORS.items()
        ],
        "starters": [
            {"name": each.name, "description": each.description, "rules": each.rules}
            for each in STARTERS
        ],
        "maxDepth": MAX_DEPTH,
        "maxRules": MAX_LEAVES,
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "group": field.group,
        "kind": field.kind.value,
        "unit": field.unit,
        "choices": _choices(field.choices),
        "units": DAY_UNITS if field.kind is Kind.DATE else UNITS,
    }


def _choices(choices: Any) -> list[list[str]]:
    return [[value, str(label)] for value, label in choices.choices] if choices else []
