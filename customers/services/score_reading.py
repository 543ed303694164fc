"""A customer's scores in words: what each is made of, and how it went. Loads no numpy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from customers.choices import ScoreModelKind
from customers.models import CustomerScore, ScoreModel

HISTORY_DAYS = 365
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve")  # fmt: skip
RULE = "By a rule of thumb: too little history"


@dataclass(frozen=True)
class Reason:
    """One part of a score. ``points`` of all parts add up to the score."""

    name: str
    points: int
    words: str

    @property
    def lost(self) -> int:
        """Points it takes away."""
        return max(0, -self.points)


@dataclass(frozen=True)
class Explanation:
    """A customer's scores as last computed; ``engagement`` and ``churn`` largest part first.

    ``churn_by`` is MODEL, RULE, or None where there is no risk to tell. Money is in cents.
    """

    engagement: tuple[Reason, ...] = ()
    churn: tuple[Reason, ...] = ()
    churn_by: str | None = None
    spent_so_far: int | None = None
    spending_expected: int | None = None


@dataclass(frozen=True)
class WeekOfScores:
    """What the scores were at the end of the week that began on ``week``."""

    week: date
    engagement: int
    churn_risk: int | None
    predicted_ltv: int | None


def explain_scores(*, customer_id: UUID) -> Explanation:
    """Why the customer's scores are what they are; empty for who has none or is not there."""
    last = CustomerScore.objects.filter(customer_id=customer_id).order_by("-week").first()
    if last is None:
        return Explanation()
    told, parts = last.parts.get("facts", {}), last.parts
    churn, value = parts.get("churn", {}), parts.get("value", {})
    return Explanation(
        engagement=_reasons(parts.get("engagement", {}), told, ENGAGEMENT_WORDS),
        churn=_reasons(churn.get("points", {}), told, CHURN_WORDS),
        churn_by=churn["by"].upper() if churn else None,
        spent_so_far=value.get("soFar"),
        spending_expected=value.get("expected"),
    )


def score_history(*, customer_id: UUID, now: datetime) -> list[WeekOfScores]:
    """The weeks of the past year in which a score became another, oldest first."""
    rows = CustomerScore.objects.filter(
        customer_id=customer_id, week__gte=now.date() - timedelta(days=HISTORY_DAYS)
    ).order_by("week")
    return [
        WeekOfScores(
            row.week,
            row.engagement_score,
            row.churn_risk_score,
            None if row.predicted_ltv is None else int(row.predicted_ltv),
        )
        for row in rows
    ]


def models_in_use() -> dict[str, ScoreModel]:
    """The newest version of each kind, usable or not."""
    rows = ScoreModel.objects.order_by("kind", "-version").distinct("kind")
    return {row.kind: row for row in rows}


def why_rule(models: Mapping[str, ScoreModel], *, is_member: bool) -> str:
    """What to say of a risk that no model gave; for a member, or for somebody who plays only."""
    kind = ScoreModelKind.CHURN_MEMBERS if is_member else ScoreModelKind.CHURN_PLAYERS
    model = models.get(kind)
    return f"By a rule of thumb. {model.reason}" if model and model.reason else RULE


# Words


def counted(number: int, one: str) -> str:
    """ "four rounds", "23 rounds", "one round"."""
    return f"{_number(number)} {one if number == 1 else one + 's'}"


def _number(number: int) -> str:
    return SMALL[number] if 0 <= number < len(SMALL) else f"{number:,}"


def _reasons(
    points: Mapping[str, int], told: Mapping[str, Any], words: Mapping[str, Any]
) -> tuple[Reason, ...]:
    found = [Reason(name, worth, words[name](told)) for name, worth in points.items()]
    return tuple(sorted(found, key=lambda reason: (reason.name == "base", -abs(reason.points))))


def main_reason(reasons: Sequence[Reason]) -> str:
    """The part that counts most, as in "+29: last here on 17 November 2026"; blank for none."""
    return f"{reasons[0].points:+d}: {reasons[0].words}." if reasons else ""


def _spoken(day: str) -> str:
    parsed = date.fromisoformat(day)
    return f"{parsed.day} {parsed:%B %Y}"


def _last(told: Mapping[str, Any]) -> str:
    return f"last here on {_spoken(told['last_visit'])}" if "last_visit" in told else "never here"


def _visits(told: Mapping[str, Any]) -> str:
    """ "four visits in 90 days of play: three rounds, one competition"."""
    kinds = [
        counted(told[name], one)
        for name, one in (("rounds_90", "round"), ("competitions_90", "competition"),
                          ("payments_90", "payment"))
        if told.get(name)
    ]  # fmt: skip
    visits = f"{counted(told.get('visits_90', 0), 'visit')} in 90 days of play"
    return f"{visits}: {', '.join(kinds)}" if kinds else visits


def _kinds(told: Mapping[str, Any]) -> str:
    does = list(_kinds_done(told))
    return " and ".join(does) if len(does) < 3 else f"{', '.join(does[:-1])} and {does[-1]}"


def _kinds_done(told: Mapping[str, Any]) -> Iterator[str]:
    if told.get("rounds_180"):
        yield "plays"
    if told.get("competitions_180"):
        yield "competes"
    if told.get("payments_180"):
        yield "buys"


def _looks(told: Mapping[str, Any]) -> str:
    opens, clicks = told.get("opens", 0), told.get("clicks", 0)
    if not (opens or clicks):
        return "opened no message in 90 days"
    opened = f"opened {counted(opens, 'message')}" if opens else ""
    clicked = f"clicked in {counted(clicks, 'message')}" if clicks else ""
    return f"{' and '.join(each for each in (opened, clicked) if each)} in 90 days"


def _slowing(told: Mapping[str, Any]) -> str:
    now, before = told.get("visits_90", 0), told.get("visits_before", 0)
    return f"{counted(now, 'visit')} in 90 days of play, {_number(before)} in the 90 before"


def _expiry(told: Mapping[str, Any]) -> str:
    return f"membership runs until {_spoken(told['expiry'])}" if "expiry" in told else "membership"


def _tenure(told: Mapping[str, Any]) -> str:
    return f"a member since {told['member_since'][:4]}" if "member_since" in told else "no member"


ENGAGEMENT_WORDS = {"recency": _last, "frequency": _visits, "breadth": _kinds, "attention": _looks}
CHURN_WORDS = {
    "base": lambda told: "where somebody average at this club stands",
    "silence": _last,
    "slowing": _slowing,
    "membership": _expiry,
    "year": lambda told: f"{counted(told.get('visits_year', 0), 'visit')} in a year",
    "breadth": lambda told: _kinds(told) or "neither played nor bought in 180 days of play",
    "attention": _looks,
    "tenure": _tenure,
    "rhythm": lambda told: "by their rhythm so far",
}
