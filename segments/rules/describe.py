"""Rules as a plain sentence for club staff."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID

from customers.choices import LifecycleStage
from segments.rules.clock import Span
from segments.rules.counts import CountSource
from segments.rules.fields import Field, Kind
from segments.rules.grammar import CountRule, Group, Leaf, Node, Rule
from segments.rules.operators import COUNT_OPERATORS, Shape

Names = Mapping[UUID, str]

STAGES = {
    LifecycleStage.SUBSCRIBER: "Subscribers",
    LifecycleStage.LEAD: "Leads",
    LifecycleStage.PROSPECT: "Prospects",
    LifecycleStage.CUSTOMER: "Paying customers",
    LifecycleStage.MEMBER: "Members",
    LifecycleStage.ADVOCATE: "Advocates",
    LifecycleStage.CHURNED: "Lapsed customers",
}
LISTED = 4  # So many values are named; the rest are counted.


class Describer:
    """Puts rules into words. ``segments`` names ids; moments are told in ``zone``."""

    def __init__(self, segments: Names | None = None, zone: tzinfo = UTC) -> None:
        self.segments = segments or {}
        self.zone = zone

    def sentence(self, group: Group) -> str:
        """``Members whose last booking was more than 6 weeks ago (or never).``"""
        rules = list(group.rules)
        if len(rules) == 1 and _is_everybody(rules[0]) and not group.negate:
            return "Everybody."
        subject = "Customers"
        stage = next((rule for rule in rules if _stage_of(rule)), None)
        if stage is not None and group.combinator == "AND":
            subject = STAGES[_stage_of(stage)]  # type: ignore[index]
            rules.remove(stage)
        if not rules:
            return f"{subject}."
        return f"{subject} {self._joined(rules, group.combinator)}."

    def rule(self, node: Node) -> str:
        """One rule, or group, by itself: ``Last booking was in the last 6 weeks``."""
        text = self._node(node)
        for lead in ("whose ", "who ", "with "):
            text = text.removeprefix(lead)
        return text[:1].upper() + text[1:]

    def _node(self, node: Node) -> str:
        if not isinstance(node, Group):
            return self._leaf(node)
        inner = self._joined(list(node.rules), node.combinator)
        if node.negate:
            return f"who are not among those {inner}"
        if len(node.rules) == 1:
            return inner
        return f"{'both' if node.combinator == 'AND' else 'either'} {inner}"

    def _joined(self, nodes: Sequence[Node], combinator: str) -> str:
        return f" {combinator.lower()} ".join(self._node(node) for node in nodes)

    def _leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, CountRule):
            return self._count(leaf)
        special = SPECIAL.get((leaf.field.kind, leaf.operator.name))
        template = special or f"whose {{label}} {leaf.operator.sentence}"
        return template.format(
            label=leaf.field.label,
            anniversary=leaf.field.anniversary,
            value=self._value(leaf) if leaf.value is not None else "",
        )

    def _value(self, rule: Rule) -> str:
        match rule.operator.shape:
            case Shape.MANY:
                return _listed([self._one(rule.field, item) for item in rule.value], _word(rule))
            case Shape.PAIR:
                return " and ".join(self._one(rule.field, end) for end in rule.value)
            case _:
                return self._one(rule.field, rule.value)

    def _one(self, field: Field, value: Any) -> str:
        if isinstance(value, Span):
            return span_text(value)
        if isinstance(value, datetime):
            local = value.astimezone(self.zone)
            return f"{day_text(local)} {local:%H:%M}"
        if isinstance(value, date):
            return day_text(value)
        if isinstance(value, UUID):
            return f"“{self.segments.get(value, 'a segment that is gone')}”"
        if field.choices is not None:
            return str(field.choices(value).label).lower()
        if field.kind is Kind.NUMBER:
            return f"{value / 100:,.2f}" if field.unit == "cents" else f"{value:,}"
        return f"“{value}”"

    def _count(self, rule: CountRule) -> str:
        filters = [
            f"{rule.source.filters[name].label} {self._filter(rule.source, name, value)}"
            for name, value in rule.filters.items()
        ]
        noun = rule.source.noun[rule.value != 1]
        within = f" in the last {span_text(rule.within)}" if rule.within else ""
        how_often = f"{COUNT_OPERATORS[rule.operator]} {rule.value:,} {noun}"
        return f"who had {how_often} ({', '.join(filters)}){within}"

    def _filter(self, source: CountSource, name: str, value: Any) -> str:
        choices = source.filters[name].choices
        if choices is not None:
            return str(choices(value).label).lower()
        if name == "metadata":
            return _listed([f"{'.'.join(path)} = {wanted}" for path, wanted in value], "and")
        return str(value)


SPECIAL = {
    (Kind.MOMENT, "notWithinLast"): "whose {label} was more than {value} ago (or never)",
    (Kind.MOMENT, "isNull"): "who have no {label}",
    (Kind.MOMENT, "isNotNull"): "who have a {label}",
    (Kind.DATE, "anniversaryWithinNext"): "whose {anniversary} is in the next {value}",
    (Kind.DATE, "anniversaryWithinLast"): "whose {anniversary} was in the last {value}",
    (Kind.BOOLEAN, "isTrue"): "with {label}",
    (Kind.BOOLEAN, "isFalse"): "without {label}",
    (Kind.TAGS, "hasAny"): "tagged {value}",
    (Kind.TAGS, "hasAll"): "tagged {value}",
    (Kind.TAGS, "hasNone"): "not tagged {value}",
    (Kind.TAGS, "isEmpty"): "without tags",
    (Kind.TAGS, "isNotEmpty"): "with tags",
    (Kind.SEGMENT, "in"): "who are in {value}",
    (Kind.SEGMENT, "notIn"): "who are not in {value}",
}


def span_text(span: Span) -> str:
    """``6 weeks``, ``1 day``."""
    return f"{span.amount:,} {span.unit if span.amount != 1 else span.unit[:-1]}"


def day_text(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _listed(words: list[str], last: str) -> str:
    if len(words) > LISTED:
        words = [*words[:LISTED], f"{len(words) - LISTED:,} more"]
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _word(rule: Rule) -> str:
    return "and" if rule.operator.name == "hasAll" else "or"


def _is_everybody(node: Node) -> bool:
    return isinstance(node, Rule) and node.field.name == "id" and node.operator.name == "isNotNull"


def _stage_of(node: Node) -> LifecycleStage | None:
    """The one stage that a rule asks for."""
    if not isinstance(node, Rule) or node.field.name != "lifecycleStage":
        return None
    if node.operator.name == "equals":
        return LifecycleStage(node.value)
    if node.operator.name == "in" and len(node.value) == 1:
        return LifecycleStage(node.value[0])
    return None
