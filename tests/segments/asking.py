"""Asking the compiled rules, for the tests."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from customers.models import CustomerProfile
from segments.rules.clock import Clock
from segments.rules.compile import Question, to_q
from segments.rules.grammar import parse

NOON = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)  # 12:00 in Johannesburg.


def clock(now=NOON, zone="Africa/Johannesburg"):
    return Clock(datetime.fromisoformat(now) if isinstance(now, str) else now, ZoneInfo(zone))


def matching(rules, combinator="AND", *, asked=None, customer_ids=None):
    """Ids of the live customers whom the compiled rules find."""
    question = Question(asked or clock(), is_of_few=customer_ids is not None)
    found = CustomerProfile.objects.live().filter(to_q(parse(rules, combinator), question))
    if customer_ids is not None:
        found = found.filter(pk__in=customer_ids)
    return set(found.values_list("pk", flat=True))
