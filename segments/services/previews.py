"""What rules would find, before they are saved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection
from django.db.models import QuerySet

from crm_site.db.timeouts import statement_timeout
from customers.models import CustomerProfile
from customers.models.profile import CONSENT_FLAGS, reachable
from segments.rules.clock import Clock
from segments.rules.compile import Question, to_q
from segments.rules.describe import Describer
from segments.rules.grammar import Group, Node, leaves, parse
from segments.rules.references import check_segments
from segments.services.matching import describer, matching, tenant_clock
from segments.services.tally import EVERYBODY, Answer, Tally, all_of, any_of, opposite

LIMIT_SECONDS = 5
SAMPLE_SIZE = 10


@dataclass(frozen=True)
class Step:
    """A rule, or a group of them, on the way from everybody to who is found.

    ``count`` is how many live customers it finds by itself, and ``kept`` how many are left, or in
    a group of alternatives found so far, once it was asked after those before it. Both are None
    where the question took too long. ``depth`` is 1 for what stands in no group.
    """

    path: str
    depth: int
    sentence: str
    is_group: bool
    count: int | None = None
    kept: int | None = None


@dataclass(frozen=True)
class Preview:
    """``count`` is exact or, where the question took too long, the database's estimate; then
    nothing is known per step and channel. ``total`` are all live customers.
    """

    count: int
    is_exact: bool
    sentence: str
    total: int | None = None
    steps: list[Step] = field(default_factory=list)
    reachable: dict[str, int | None] = field(default_factory=dict)
    sample: list[CustomerProfile] = field(default_factory=list)

    @property
    def rules(self) -> list[Step]:
        return [step for step in self.steps if not step.is_group]

    @property
    def groups(self) -> list[Step]:
        return [step for step in self.steps if step.is_group]


def preview(rules: Any, combinator: Any, *, now: datetime, asked_by: Any = None) -> Preview:
    """Count who matches, in all, on the way there and per channel that may reach them; show a few.

    Cut off after LIMIT_SECONDS. Raises RuleError for rules that cannot be asked.
    """
    group = parse(rules, combinator)
    check_segments(group, asked_by=asked_by)
    clock = tenant_clock(now)
    words = describer(clock.zone)
    found = matching(group, clock)
    try:
        with statement_timeout(LIMIT_SECONDS):
            counts = _counts(group, clock)
            sample = list(found[:SAMPLE_SIZE])
    except OperationalError:
        counts, sample = {"found": estimate(found)}, []
    return Preview(
        count=counts["found"],
        is_exact="total" in counts,
        sentence=words.sentence(group),
        total=counts.get("total"),
        steps=list(_steps(group, words, counts)),
        reachable={channel.value: counts.get(channel.value) for channel in CONSENT_FLAGS},
        sample=sample,
    )


def _steps(
    group: Group, words: Describer, counts: dict[str, int], depth: int = 1
) -> Iterator[Step]:
    for node in group.rules:
        yield Step(
            path=node.path,
            depth=depth,
            sentence=words.rule(node),
            is_group=isinstance(node, Group),
            count=counts.get(f"{node.path} alone"),
            kept=counts.get(f"{node.path} kept"),
        )
        if isinstance(node, Group):
            yield from _steps(node, words, counts, depth + 1)


def _counts(group: Group, clock: Clock) -> dict[str, int]:
    """Every count in one pass over the customers."""
    tally, asked = Tally(), Question(clock)
    answers = {leaf.path: tally.ask(to_q(leaf, asked)) for leaf in leaves(group)}
    found = _answer(group, answers)
    wanted = {"total": EVERYBODY, "found": found}
    wanted |= _waterfall(group, answers, EVERYBODY)
    for channel in CONSENT_FLAGS:
        wanted[channel.value] = all_of([found, tally.ask(reachable(channel))])
    return tally.count(CustomerProfile.objects.live(), wanted)


def _answer(node: Node, answers: dict[str, Answer]) -> Answer:
    if not isinstance(node, Group):
        return answers[node.path]
    joined = _together(node, [_answer(child, answers) for child in node.rules])
    return opposite(joined) if node.negate else joined


def _together(group: Group, parts: list[Answer]) -> Answer:
    return all_of(parts) if group.combinator == "AND" else any_of(parts)


def _waterfall(group: Group, answers: dict[str, Answer], before: Answer) -> dict[str, Answer]:
    """Each node of ``group`` alone, and after those that stand before it.

    ``before`` is true of who comes as far as the group.
    """
    wanted: dict[str, Answer] = {}
    asked: list[Answer] = []
    for node in group.rules:
        if isinstance(node, Group):
            is_narrowed = group.combinator == "AND"
            wanted |= _waterfall(node, answers, all_of([before, *asked]) if is_narrowed else before)
        asked.append(_answer(node, answers))
        wanted[f"{node.path} alone"] = asked[-1]
        wanted[f"{node.path} kept"] = all_of([before, _together(group, asked)])
    return wanted


def estimate(found: QuerySet[Any]) -> int:
    """How many rows the planner expects, without asking for them."""
    sql, params = found.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    parsed = json.loads(plan) if isinstance(plan, str) else plan
    return int(parsed[0]["Plan"]["Plan Rows"])
