"""Who belongs to a segment, as a query and for one customer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant
from customers.models import Activity, CustomerProfile
from segments.models import CustomerSegment, CustomerSegmentMembership
from segments.rules.clock import Clock
from segments.rules.compile import Question, to_q
from segments.rules.describe import Describer
from segments.rules.grammar import Group, Node, Rule, leaves, parse
from segments.rules.references import check_segments
from segments.services.smart_words import reason_words


def tenant_clock(now: datetime) -> Clock:
    """``now`` in the zone of the tenant in scope."""
    zone = Tenant.objects.values_list("time_zone", flat=True).get(pk=require_tenant_id())
    return Clock(now, ZoneInfo(zone))


def matching(group: Group, clock: Clock) -> QuerySet[CustomerProfile]:
    """Live customers whom the rules find, right now."""
    found: QuerySet[CustomerProfile] = CustomerProfile.objects.live()
    return found.filter(to_q(group, Question(clock)))


def belonging(segment: CustomerSegment, clock: Clock) -> QuerySet[CustomerProfile]:
    """Live customers who should be members: by the rules, or as staff put them in.

    Raises RuleError if the stored rules can no longer be read.
    """
    if segment.is_by_rules:
        group = parse(segment.criteria, segment.combinator)
        check_segments(group, asked_by=segment.pk)
        return matching(group, clock)
    held = CustomerSegmentMembership.objects.filter(segment=segment).values("customer_id")
    kept: QuerySet[CustomerProfile] = CustomerProfile.objects.live().filter(pk__in=held)
    return kept


def matches(group: Group, clock: Clock, customer_ids: Collection[UUID]) -> set[UUID]:
    """Which of these customers the rules find. One query, for one customer or a thousand."""
    return matches_each([group], clock, customer_ids)[0]


def matches_each(
    groups: Sequence[Group], clock: Clock, customer_ids: Collection[UUID]
) -> list[set[UUID]]:
    """Of these customers, whom each of many sets of rules finds. One query for all together."""
    columns = _conditions(groups, Question(clock, is_of_few=True))
    asked = CustomerProfile.objects.live().filter(pk__in=customer_ids)
    rows = list(asked.values_list("pk", *columns))
    return [{row[0] for row in rows if row[number]} for number in range(1, len(groups) + 1)]


def matching_events(group: Group, clock: Clock, activity_ids: Collection[UUID]) -> set[UUID]:
    """Which of these activities the rules find, asked of each and of its live customer.

    ``group`` was read with ``find_event_field``. One query, for one activity or a thousand.
    """
    theirs = CustomerProfile.objects.live().filter(pk=OuterRef("customer_id"))
    asked = theirs.filter(to_q(group, Question(clock, is_of_few=True)))
    found = Activity.objects.filter(pk__in=activity_ids).filter(Exists(asked))
    return set(found.values_list("pk", flat=True))


@dataclass(frozen=True)
class Reason:
    """One rule asked about one customer. ``value`` is hers, None where a rule reads no field."""

    path: str
    sentence: str
    met: bool
    value: Any


@dataclass(frozen=True)
class Explanation:
    """``reasons`` are of rules; ``match_score`` and ``why`` of a model, and of members only."""

    is_member: bool
    matches: bool
    reasons: list[Reason]
    match_score: float | None = None
    why: list[str] = field(default_factory=list)


def explain(segment: CustomerSegment, customer: CustomerProfile, *, now: datetime) -> Explanation:
    """Why a customer is, or is not, in a segment by rules: each rule, met or not, and her value.

    ``matches`` is today's answer of the rules and ``is_member`` the last refresh's.
    """
    held = CustomerSegmentMembership.objects.filter(segment=segment, customer=customer).first()
    is_member = held is not None
    if not segment.is_by_rules:
        score, why = (held.match_score, model_reasons(held)) if held else (None, [])
        return Explanation(is_member, is_member, [], score, why)
    clock = tenant_clock(now)
    group = parse(segment.criteria, segment.combinator)
    asked = Question(clock, is_of_few=True)
    rules = leaves(group)
    answers = _answers([group, *rules], asked, customer)
    values = _values(rules, clock, customer)
    words = describer(clock.zone)
    reasons = [
        Reason(rule.path, words.rule(rule), met, value)
        for rule, met, value in zip(rules, answers[1:], values, strict=True)
    ]
    return Explanation(is_member, answers[0] and customer.is_live, reasons)


def model_reasons(member: CustomerSegmentMembership) -> list[str]:
    """What spoke most for a member of a segment by model, in words; else nothing."""
    return [reason_words(reason) for reason in member.match_reasons or []]


def describer(zone: ZoneInfo) -> Describer:
    """Words for rules, with the names of this tenant's segments."""
    return Describer(dict(CustomerSegment.objects.live().values_list("pk", "name")), zone)


def _answers(nodes: list[Any], asked: Question, customer: CustomerProfile) -> list[bool]:
    columns = _conditions(nodes, asked)
    row = CustomerProfile.objects.filter(pk=customer.pk).values_list(*columns).get()
    return [bool(answer) for answer in row]


def _conditions(nodes: Sequence[Node], asked: Question) -> list[ExpressionWrapper]:
    """Each as a column of a query: yes, no or null."""
    return [ExpressionWrapper(Q(to_q(node, asked)), output_field=BooleanField()) for node in nodes]


def _values(rules: list[Any], clock: Clock, customer: CustomerProfile) -> list[Any]:
    columns = {
        f"value_{index}": rule.field.expression(clock)
        for index, rule in enumerate(rules)
        if isinstance(rule, Rule) and (rule.field.column or rule.field.compute)
    }
    if not columns:
        return [None] * len(rules)
    row = CustomerProfile.objects.filter(pk=customer.pk).annotate(**columns).values(*columns).get()
    return [row.get(f"value_{index}") for index in range(len(rules))]
