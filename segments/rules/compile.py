"""From parsed rules to one condition of one query."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from segments.rules import sql
from segments.rules.clock import Clock
from segments.rules.counts import Metadata
from segments.rules.fields import Kind
from segments.rules.grammar import CountRule, Group, Node, Rule
from segments.rules.operators import OPERATORS


@dataclass(frozen=True)
class Question:
    """When the rules are asked, and of whom: everybody, or only the customers of these ids, which
    spares counting what others did.
    """

    clock: Clock
    customer_ids: tuple[UUID, ...] | None = None


def to_q(node: Node, question: Question) -> Q:
    """A condition over ``CustomerProfile`` that is true for those who match.

    It says nothing about deleted and merged profiles: ask it of ``live()`` ones. Needs the tenant
    in scope.
    """
    return _compile(node, question, wanted=True)


def _compile(node: Node, question: Question, *, wanted: bool) -> Q:
    """``node`` if it is wanted, else its opposite; negation is carried down to the leaves, where
    null can be told from false.
    """
    if isinstance(node, Group):
        return _compile_group(node, question, wanted=wanted != node.negate)
    if isinstance(node, CountRule):
        return _compile_count(node, question, wanted=wanted)
    return _compile_rule(node, question, wanted=wanted)


def _compile_group(group: Group, question: Question, *, wanted: bool) -> Q:
    parts = [_compile(rule, question, wanted=wanted) for rule in group.rules]
    return reduce(and_ if (group.combinator == "AND") == wanted else or_, parts)


def _compile_rule(rule: Rule, question: Question, *, wanted: bool) -> Q:
    operator = rule.operator
    if operator.negates:
        operator, wanted = OPERATORS[rule.field.kind][operator.negates], not wanted
    if operator.build is None:
        raise AssertionError(f"{operator.name} has neither SQL nor an opposite.")
    left = F("pk") if rule.field.kind is Kind.SEGMENT else rule.field.expression(question.clock)
    found = operator.build(left, rule.value, question.clock)
    return found if wanted else sql.opposite(found)


def _compile_count(rule: CountRule, question: Question, *, wanted: bool) -> Q:
    rows = _counted(rule, question)
    if rule.operator == "countAtLeast":
        found = _at_least(rows, rule.value)
    elif rule.operator == "countAtMost":
        found, wanted = _at_least(rows, rule.value + 1), not wanted
    elif rule.value == 0:
        found, wanted = _at_least(rows, 1), not wanted
    else:
        found = _by_count(rows, Q(times=rule.value))
    return found if wanted else sql.opposite(found)


def _at_least(rows: QuerySet[Any], value: int) -> Q:
    if value == 0:
        return sql.opposite(sql.NEVER)
    if value == 1:
        return Q(Exists(rows.filter(customer_id=OuterRef("pk"))))
    return _by_count(rows, Q(times__gte=value))


def _by_count(rows: QuerySet[Any], condition: Q) -> Q:
    """One pass over the rows counts for everybody, however many customers are asked about."""
    counted = rows.values("customer_id").annotate(times=Count("pk")).filter(condition)
    return Q(pk__in=counted.values("customer_id"))


def _counted(rule: CountRule, question: Question) -> QuerySet[Any]:
    rows = rule.source.model.objects.filter(_narrowed(rule))  # type: ignore[attr-defined]
    if rule.within:
        start = question.clock.moved(rule.within, -1)
        rows = rows.filter(occurred_at__gte=start, occurred_at__lte=question.clock.now)
    if question.customer_ids is not None:
        rows = rows.filter(customer_id__in=question.customer_ids)
    return rows


def _narrowed(rule: CountRule) -> Q:
    parts: list[Q] = []
    for name, value in rule.filters.items():
        column = rule.source.filters[name].column
        parts += _metadata(column, value) if name == "metadata" else [Q(**{column: value})]
    return reduce(and_, parts)


def _metadata(column: str, wanted: Metadata) -> Iterable[Q]:
    return [sql.equals_json(sql.json_at(F(column), path), value) for path, value in wanted]
