"""docs/rules.md, made from the tables."""

from itertools import groupby
from typing import Any

from segments.rules.catalogue import catalogue
from segments.rules.grammar import MAX_BYTES
from segments.rules.operators import Shape
from segments.rules.values import MAX_ITEMS

HEAD = """# The rule language

Made from the tables in `segments/rules/` by `python manage.py write_rules_reference`; a test keeps
it so. Segments and journey conditions use the same language.

```json
{{"combinator": "AND", "rules": [
  {{"field": "lifecycleStage", "operator": "in", "value": ["MEMBER"]}},
  {{"field": "lastBookingAt", "operator": "notWithinLast",
    "value": {{"amount": 6, "unit": "weeks"}}}},
  {{"combinator": "OR", "negate": false, "rules": [
    {{"field": "tags", "operator": "hasAny", "value": ["vip"]}},
    {{"activity": {{"type": "TEETIME_BOOKED"}}, "operator": "countAtLeast", "value": 2,
      "within": {{"amount": 90, "unit": "days"}}}}]}}]}}
```

A segment keeps the outer list in `criteria` and the outer combinator in `combinator`. Groups nest
{depth} deep, with at most {leaves} rules, {size} KiB and {items:,} items in a list. Everybody is
`{{"field": "id", "operator": "isNotNull"}}`. What is not listed here is refused with its path,
as in `rules[2].rules[0].operator`.

- **Nothing is not a value.** A comparison with nothing is false and its negation true: `notEquals`,
  `notIn`, `notWithinLast` hold for a customer without a value. Blank text counts as nothing.
- **Text** is compared without case, for any letter; accents count; `%`, `_` and `\\` are letters.
- **Time.** `now` is fixed once per question. Minutes to weeks are exact; months and years step on
  the club's calendar. Plain dates are days of the club's zone; a time carries its offset.
- **Anniversaries** of 29 February fall on 28 February in other years.
- Deleted and merged customers never match.
"""

SHAPES = {
    Shape.NONE: "no value",
    Shape.ONE: "one value",
    Shape.MANY: "a list",
    Shape.PAIR: "`[low, high]`",
    Shape.WHEN: "a day or a time",
    Shape.DAY: "a day",
    Shape.SPAN: '`{"amount", "unit"}`',
    Shape.DAYS: '`{"amount", "unit": "days"}`',
}


def reference() -> str:
    """The whole page."""
    known = catalogue()
    head = HEAD.format(
        depth=known["maxDepth"], leaves=known["maxRules"], size=MAX_BYTES // 1024, items=MAX_ITEMS
    )
    return "\n".join([head, *_operators(known), *_counts(known), *_fields(known)]) + "\n"


def _operators(known: dict[str, Any]) -> list[str]:
    lines = ["## Operators", "", "| type | operator | value |", "|---|---|---|"]
    for kind, operators in known["operators"].items():
        lines += [
            f"| {kind} | `{each['name']}` | {SHAPES[Shape[each['shape']]]} |" for each in operators
        ]
    return [*lines, ""]


def _counts(known: dict[str, Any]) -> list[str]:
    operators = ", ".join(f"`{each['name']}`" for each in known["countOperators"])
    lines = ["## Counts", "", f"{operators}, with a whole number and an optional `within`.", ""]
    lines += ["| rule | narrowed by any of |", "|---|---|"]
    for source in known["counts"]:
        names = ", ".join(f"`{each['name']}`" for each in source["filters"])
        lines.append(f"| `{source['name']}` | {names} |")
    return [*lines, ""]


def _fields(known: dict[str, Any]) -> list[str]:
    lines = ["## Fields", "", "`externalIds.<key>` is the text under one key, dots included.", ""]
    for group, fields in groupby(known["fields"], key=lambda field: field["group"]):
        lines += [f"### {group}", "", "| field | type | in words |", "|---|---|---|"]
        lines += [f"| `{each['name']}` | {each['kind']} | {each['label']} |" for each in fields]
        lines.append("")
    return lines[:-1]
