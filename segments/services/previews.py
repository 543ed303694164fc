"""What rules would find, before they are saved."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Count, QuerySet

from crm_site.db.timeouts import statement_timeout
from customers.models import CustomerProfile
from customers.models.profile import CONSENT_FLAGS, reachable
from segments.rules.clock import Clock
from segments.rules.compile import Question, to_q
from segments.rules.grammar import Group, leaves, parse
from segments.rules.references import check_segments
from segments.services.matching import describer, matching, tenant_clock

LIMIT_SECONDS = 5
SAMPLE_SIZE = 10


@dataclass(frozen=True)
class RuleCount:
    """How many live customers one rule finds by itself."""

    path: str
    sentence: str
    count: int | None


@dataclass(frozen=True)
class Preview:
    """``count`` is exact or, where the question took too long, the database's estimate; then
    nothing is known per rule and channel.
    """

    count: int
    is_exact: bool
    sentence: str
    rules: list[RuleCount] = field(default_factory=list)
    reachable: dict[str, int | None] = field(default_factory=dict)
    sample: list[CustomerProfile] = field(default_factory=list)


def preview(rules: Any, combinator: Any, *, now: datetime, asked_by: Any = None) -> Preview:
    """Count who matches, in all, per rule and per channel that may reach them, and show a few.

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
        counts, sample = {"all": estimate(found)}, []
    return Preview(
        count=counts["all"],
        is_exact="rule_0" in counts,
        sentence=words.sentence(group),
        rules=[
            RuleCount(leaf.path, words.rule(leaf), counts.get(f"rule_{index}"))
            for index, leaf in enumerate(leaves(group))
        ],
        reachable={channel.value: counts.get(channel.value) for channel in CONSENT_FLAGS},
        sample=sample,
    )


def _counts(group: Group, clock: Clock) -> dict[str, int]:
    """Every count in one pass over the customers."""
    asked = Question(clock)
    everything = to_q(group, asked)
    wanted = {"all": everything}
    wanted |= {f"rule_{i}": to_q(leaf, asked) for i, leaf in enumerate(leaves(group))}
    wanted |= {channel.value: everything & reachable(channel) for channel in CONSENT_FLAGS}
    live: QuerySet[CustomerProfile] = CustomerProfile.objects.live()
    found: dict[str, int] = live.aggregate(
        **{name: Count("pk", filter=condition) for name, condition in wanted.items()}
    )
    return found


def estimate(found: QuerySet[Any]) -> int:
    """How many rows the planner expects, without asking for them."""
    sql, params = found.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    parsed = json.loads(plan) if isinstance(plan, str) else plan
    return int(parsed[0]["Plan"]["Plan Rows"])
