"""From parsed rules to one condition of one query."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from segments.rules import sql
from segments.rules.clock import Clock
from segments.rules.counts import Metadata
from segments.rules.fields import Kind
from segments.rules.grammar import CountRule, Group, Node, Rule
from segments.rules.operators import OPERATORS


@dataclass(frozen=True)
class Question:
    """When the rules are asked, and whether of everybody or of a few customers whom the caller
    names, which spares counting what others did. The answer is the same.
    """

    clock: Clock
    is_of_few: bool = False


Counting = Callable[[QuerySet[Any], str, int], Q]


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
    count = _count_each if question.is_of_few else _count_all
    if rule.operator == "countAtLeast":
        found = _at_least(rows, rule.value, count)
    elif rule.operator == "countAtMost":
        found, wanted = _at_least(rows, rule.value + 1, count), not wanted
    elif rule.value == 0:
        found, wanted = _at_least(rows, 1, count), not wanted
    else:
        found = count(rows, "=", rule.value)
    return found if wanted else sql.opposite(found)


def _at_least(rows: QuerySet[Any], value: int, count: Counting) -> Q:
    if value == 0:
        return sql.opposite(sql.NEVER)
    if value == 1:
        return Q(Exists(rows.filter(customer_id=OuterRef("pk"))))
    return count(rows, ">=", value)


def _count_all(rows: QuerySet[Any], sign: str, value: int) -> Q:
    """One pass over the rows counts for everybody, however many customers are asked about."""
    times = {"times__gte" if sign == ">=" else "times": value}
    counted = rows.values("customer_id").annotate(times=Count("pk")).filter(**times)
    return Q(pk__in=counted.values("customer_id"))


def _count_each(rows: QuerySet[Any], sign: str, value: int) -> Q:
    """Each customer's own rows, found by their index; no more of them than decide the answer."""
    own = rows.filter(customer_id=OuterRef("pk")).order_by().values("pk")[: value + 1]
    return sql.compare(sql.RowCount(own), sign, value)


def _counted(rule: CountRule, question: Question) -> QuerySet[Any]:
    rows = rule.source.model.objects.filter(_narrowed(rule))  # type: ignore[attr-defined]
    if rule.within:
        start = question.clock.moved(rule.within, -1)
        rows = rows.filter(occurred_at__gte=start, occurred_at__lte=question.clock.now)
    return rows


def _narrowed(rule: CountRule) -> Q:
    parts: list[Q] = []
    for name, value in rule.filters.items():
        column = rule.source.filters[name].column
        parts += _metadata(column, value) if name == "metadata" else [Q(**{column: value})]
    return reduce(and_, parts)


def _metadata(column: str, wanted: Metadata) -> Iterable[Q]:
    return [sql.equals_json(sql.json_at(F(column), path), value) for path, value in wanted]
