"""Rules to start from: what clubs ask for most, ready to be changed."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Starter:
    """``rules`` is a combinator and a list of rules, as the builder holds them."""

    name: str
    description: str
    rules: dict[str, Any]


def all_of(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "AND", "rules": list(rules)}


def _rounds(day: str, operator: str, value: int) -> dict[str, Any]:
    return {
        "activity": {"type": "ROUND_PLAYED", "metadata": {"dayType": day}},
        "operator": operator,
        "value": value,
        "within": {"amount": 12, "unit": "months"},
    }


HAS_PLAYED_HERE = {
    "field": "lifecycleStage",
    "operator": "in",
    "value": ["CUSTOMER", "MEMBER", "ADVOCATE"],
}

STARTERS = [
    Starter(
        "Lapsed for 90 days",
        "Used to book and have not for 90 days.",
        all_of(
            HAS_PLAYED_HERE,
            {"field": "lastBookingAt", "operator": "isNotNull"},
            {
                "field": "lastBookingAt",
                "operator": "notWithinLast",
                "value": {"amount": 90, "unit": "days"},
            },
        ),
    ),
    Starter(
        "Birthday next week",
        "Have their birthday within the next seven days.",
        all_of(
            {
                "field": "dateOfBirth",
                "operator": "anniversaryWithinNext",
                "value": {"amount": 7, "unit": "days"},
            }
        ),
    ),
    Starter(
        "Renewal in 30 days",
        "Their membership runs out within the next 30 days.",
        all_of(
            {
                "field": "membershipExpiry",
                "operator": "withinNext",
                "value": {"amount": 30, "unit": "days"},
            }
        ),
    ),
    Starter(
        "Plays weekends only",
        "Played at least twice in the past year, and never from Monday to Friday.",
        all_of(_rounds("weekend", "countAtLeast", 2), _rounds("weekday", "countExactly", 0)),
    ),
    Starter(
        "New this month",
        "First seen within the past month.",
        all_of(
            {
                "field": "createdAt",
                "operator": "withinLast",
                "value": {"amount": 1, "unit": "months"},
            }
        ),
    ),
    Starter(
        "High value at risk",
        "Spent a good deal with the club, and may be about to leave.",
        all_of(
            {"field": "lifetimeValue", "operator": "greaterThanOrEqual", "value": 500_000},
            {"field": "churnRiskScore", "operator": "greaterThanOrEqual", "value": 60},
        ),
    ),
]


def add_starter(starter: Starter) -> None:
    """Offer more to start from; called once at start-up by the app that owns what is asked."""
    STARTERS.append(starter)
