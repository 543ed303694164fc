"""Reading rules: from stored JSON to values that can be compiled, described and explained."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from segments.rules import values
from segments.rules.clock import UNITS, Span
from segments.rules.counts import SOURCES, CountSource
from segments.rules.errors import RuleError
from segments.rules.fields import Field, find_field
from segments.rules.operators import COUNT_OPERATORS, OPERATORS, Operator, Shape

MAX_DEPTH = 5
MAX_LEAVES = 50
MAX_BYTES = 64 * 1024

ROOT = "rules"


@dataclass(frozen=True)
class Rule:
    """A field compared. ``value`` is None for operators that take none."""

    path: str
    field: Field
    operator: Operator
    value: Any = None


@dataclass(frozen=True)
class CountRule:
    """How often something happened. ``filters`` maps a filter's name to its value."""

    path: str
    source: CountSource
    filters: dict[str, Any]
    operator: str
    value: int
    within: Span | None = None


@dataclass(frozen=True)
class Group:
    """Rules that must all hold, or of which one must; ``negate`` turns the answer round."""

    path: str
    combinator: Literal["AND", "OR"]
    rules: tuple["Node", ...]
    negate: bool = False


Leaf = Rule | CountRule
Node = Leaf | Group


# The field that a rule names, by the name and the whole rule; None where there is none.
Finder = Callable[[str, dict[str, Any]], Field | None]


def find_customer_field(name: str, rule: dict[str, Any]) -> Field | None:
    return find_field(name)


def parse(rules: Any, combinator: Any = "AND", *, find: Finder = find_customer_field) -> Group:
    """A segment's ``criteria`` and ``combinator`` as one group.

    ``find`` says which fields there are. Raises RuleError with the path of the fault for anything
    the language does not have.
    """
    _check_size(rules)
    joined = _combinator(combinator, "combinator")
    group = Group(ROOT, joined, _nodes(rules, ROOT, find, depth=1))
    if (count := sum(1 for _ in leaves(group))) > MAX_LEAVES:
        raise RuleError(ROOT, f"At most {MAX_LEAVES} rules may be asked at once; here are {count}.")
    return group


def leaves(node: Node) -> list[Leaf]:
    """Every rule in the order it is read."""
    if isinstance(node, Group):
        return [leaf for child in node.rules for leaf in leaves(child)]
    return [node]


def _check_size(rules: Any) -> None:
    try:
        size = len(json.dumps(rules, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"))  # fmt: skip
    except (TypeError, ValueError, RecursionError):
        raise RuleError(ROOT, "This is not JSON that can be stored.") from None
    if size > MAX_BYTES:
        raise RuleError(ROOT, f"The rules are longer than {MAX_BYTES // 1024} KiB.")


def _combinator(value: Any, path: str) -> Literal["AND", "OR"]:
    if value == "AND":
        return "AND"
    if value == "OR":
        return "OR"
    raise RuleError(path, "AND or OR is needed.")


def _nodes(rules: Any, path: str, find: Finder, *, depth: int) -> tuple[Node, ...]:
    if not isinstance(rules, list):
        raise RuleError(path, "A list of rules is needed.")
    if not rules:
        raise RuleError(
            path, 'No rule is given. Everybody is {"field": "id", "operator": "isNotNull"}.'
        )
    if depth > MAX_DEPTH:
        raise RuleError(path, f"Groups may be nested {MAX_DEPTH} deep.")
    return tuple(_node(rule, f"{path}[{index}]", find, depth) for index, rule in enumerate(rules))


def _node(rule: Any, path: str, find: Finder, depth: int) -> Node:
    if not isinstance(rule, dict):
        raise RuleError(path, "A rule is an object, with a field and an operator.")
    if "rules" in rule or "combinator" in rule:
        return _group(rule, path, find, depth)
    for name, source in SOURCES.items():
        if name in rule:
            return _count(rule, source, path)
    return _rule(rule, path, find)


def _group(rule: dict[str, Any], path: str, find: Finder, depth: int) -> Group:
    values.only_keys(rule, ("combinator", "rules", "negate"), path)
    combinator = _combinator(rule.get("combinator"), f"{path}.combinator")
    negate = rule.get("negate", False)
    if not isinstance(negate, bool):
        raise RuleError(f"{path}.negate", "true or false is needed.")
    if "rules" not in rule:
        raise RuleError(f"{path}.rules", "A list of rules is needed.")
    nodes = _nodes(rule["rules"], f"{path}.rules", find, depth=depth + 1)
    return Group(path, combinator, nodes, negate)


def _rule(rule: dict[str, Any], path: str, find: Finder) -> Rule:
    values.only_keys(rule, ("field", "operator", "value"), path)
    field = _field(rule, f"{path}.field", find)
    operator = _operator(field, rule.get("operator"), f"{path}.operator")
    if operator.shape is Shape.NONE:
        if "value" in rule:
            raise RuleError(f"{path}.value", f"{operator.name} takes no value.")
        return Rule(path, field, operator)
    if "value" not in rule:
        raise RuleError(f"{path}.value", "A value is missing.")
    value = values.read_value(field, operator.shape, rule["value"], f"{path}.value")
    return Rule(path, field, operator, value)


def _field(rule: dict[str, Any], path: str, find: Finder) -> Field:
    name = rule.get("field")
    found = find(name, rule) if isinstance(name, str) else None
    if found is None:
        raise RuleError(path, "There is no such field." if name else "A field is missing.")
    values.storable(found.name, path)
    return found


def _operator(field: Field, name: Any, path: str) -> Operator:
    known = OPERATORS[field.kind]
    if not isinstance(name, str) or name not in known:
        raise RuleError(path, f"One of {', '.join(known)} is needed for {field.name}.")
    return known[name]


def _count(rule: dict[str, Any], source: CountSource, path: str) -> CountRule:
    values.only_keys(rule, (source.name, "operator", "value", "within"), path)
    filters = _filters(rule[source.name], source, f"{path}.{source.name}")
    operator = rule.get("operator")
    if not isinstance(operator, str) or operator not in COUNT_OPERATORS:
        raise RuleError(f"{path}.operator", f"One of {', '.join(COUNT_OPERATORS)} is needed.")
    value = values.read_count(rule.get("value"), f"{path}.value")
    within = None
    if "within" in rule:
        within = values.read_span(rule["within"], f"{path}.within", UNITS)
    return CountRule(path, source, filters, operator, value, within)


def _filters(given: Any, source: CountSource, path: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise RuleError(path, "An object is needed, with at least one filter.")
    values.only_keys(given, tuple(source.filters), path)
    if not given:
        raise RuleError(path, f"At least one of {', '.join(source.filters)} is needed.")
    return {
        name: source.filters[name].read(value, f"{path}.{name}") for name, value in given.items()
    }
