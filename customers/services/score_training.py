"""Learning from a tenant's own history how to score: seasons, who leaves, what people spend.

Loads numpy and, while fitting, scikit-learn: only workers may import this.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from crm_site.access.services import tenant_in_scope
from customers.choices import ScoreModelKind
from customers.models import CustomerProfile, ScoreModel
from customers.scoring import churn, lifetimes
from customers.scoring.facts import Facts
from customers.services.score_facts import (
    AsOf,
    Visits,
    chunks_of_ids,
    people_as_of,
    read_visits,
)
from customers.services.score_outcomes import Outcomes, members_outcome, outcomes_after

# Plenty for a dozen coefficients, and five looks at them are held in memory at once.
SAMPLE = 60_000
# How far ahead leaving is foretold: the longest of which history holds three.
HORIZONS = (365, 182, 91)
# Somebody who stayed away longer than this is no longer anybody's to lose.
LOST_DAYS = 730
FEWEST_OF_A_KIND, FEWEST_TO_TEST = 50, 20
WORST_AUC = 0.6
# A year, give or take the week in which it begins.
FEWEST_REPEATERS, VALUE_HISTORY_DAYS, YEAR = 200, 358, 365
VERSIONS_KEPT = 60

Tell = Callable[[str, float], None]


class NotEnough(Exception):
    """There is too little to learn from; says in plain words of what."""


@dataclass(frozen=True)
class Learned:
    """What goes into a ScoreModel."""

    people: int
    parameters: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """Everybody sampled as they were on one day, and what they did in the horizon after it."""

    as_of: AsOf
    facts: Facts
    outcomes: Outcomes


def train_models(*, now: datetime, tell: Tell = lambda words, share: None) -> list[ScoreModel]:
    """Learn anew what can be learned by ``now`` and keep it as the next versions.

    ``tell`` hears what is being done, and the share that is done. Short transactions.
    """
    zone = tenant_in_scope_zone()
    with transaction.atomic():
        visits = read_visits(now=now, zone=zone)
        people = CustomerProfile.objects.live().count()
    season = visits.as_of(now, zone)
    horizon = _horizon(visits, season.today)
    tell("Looking at the past", 0.1)
    chunks = list(chunks_of_ids(share=min(1.0, SAMPLE / max(1, people))))
    looks = list(_looks(visits, zone, now, horizon, chunks))
    made = []
    for done, (kind, learn) in enumerate(LEARNERS.items()):
        tell(f"Learning: {kind.label.lower()}", 0.6 + done / 10)
        try:
            learned = learn(looks, season, visits, horizon)
        except NotEnough as reason:
            made.append(_keep(kind, now, Learned(0, {}, {}), reason=str(reason)))
        else:
            made.append(_keep(kind, now, learned))
    return made


def tenant_in_scope_zone() -> str:
    with transaction.atomic():
        return tenant_in_scope().time_zone


def _horizon(visits: Visits, today: int) -> int | None:
    known = today - visits.first if visits.first is not None else 0
    return next((days for days in HORIZONS if known >= 3 * days), None)


def _looks(
    visits: Visits, zone: str, now: datetime, horizon: int | None, chunks: list[list[UUID]]
) -> Iterator[Look]:
    """From now, and from one, two, two and a half … horizons ago, as far as history reaches."""
    back = [0.0]
    if horizon and visits.first is not None:
        known = (visits.as_of(now, zone).today - visits.first) / horizon
        back += [each for each in (1, 2, 2.5, 3, 4) if known - each >= 1]
    for horizons in back:
        moment = now - timedelta(days=round(horizons * (horizon or 0)))
        yield _look(visits.as_of(moment, zone), horizon or 0, chunks)


def _look(as_of: AsOf, horizon: int, chunks: list[list[UUID]]) -> Look:
    facts, outcomes = [Facts.of([])], []
    for ids in chunks:
        with transaction.atomic():
            facts.append(people_as_of(ids, as_of).facts)
            outcomes.append(outcomes_after(ids, as_of, days=horizon))
    nothing = Outcomes(*(np.empty(0) for _ in range(5)))
    return Look(as_of, Facts.joined(facts), Outcomes.joined([nothing, *outcomes]))


@transaction.atomic
def _keep(kind: ScoreModelKind, now: datetime, learned: Learned, *, reason: str = "") -> ScoreModel:
    last = ScoreModel.objects.filter(kind=kind).aggregate(last=Max("version"))["last"] or 0
    ScoreModel.objects.filter(kind=kind, version__lte=last - VERSIONS_KEPT).delete()
    model: ScoreModel = ScoreModel.objects.create(
        kind=kind,
        version=last + 1,
        trained_at=now,
        people_count=learned.people,
        is_usable=not reason,
        reason=reason,
        parameters=learned.parameters,
        metrics=learned.metrics,
    )
    return model


# What is learned


def _learn_season(looks: list[Look], season: AsOf, visits: Visits, horizon: int | None) -> Learned:
    if not season.clock.has_year:
        raise NotEnough(
            "There is less than a year of history, so every week counts the same for now."
        )
    weeks = {str(monday): count for monday, count in sorted(visits.by_week.items())[-104:]}
    return Learned(0, season.clock.as_json(), {"visits": weeks})


Chosen = tuple[NDArray[np.bool_], NDArray[np.float64]]


def _players(look: Look) -> Chosen:
    """Who pays and plays without a membership; and whether they stayed away."""
    silent = look.as_of.today - look.facts.last_visit
    chosen = (look.outcomes.was_member == 0) & (silent <= LOST_DAYS)
    return chosen, (look.outcomes.visits == 0).astype(np.float64)


def _learn_players(looks: list[Look], season: AsOf, visits: Visits, horizon: int | None) -> Learned:
    rhythms = {look.as_of.now: _rhythm(look) for look in looks}
    is_known = all(rhythms.values())

    def see(look: Look) -> tuple[dict[str, Any], Chosen]:
        chosen, left = _players(look)
        facts, today = look.facts.take(chosen), look.as_of.today
        rhythm = rhythms[look.as_of.now] if is_known else None
        expected = None
        if rhythm is not None:
            expected = rhythm.expected(visiting(facts, today), ahead=float(horizon or 0))
        found = churn.features(facts, look.as_of.clock, today, expected_visits=expected)
        return found, (chosen, left[chosen])

    learned = _learn_churn(looks, horizon, see, "stayed away")
    if is_known:
        learned.parameters["purchases"] = vars(rhythms[looks[0].as_of.now])
    return learned


def _learn_members(looks: list[Look], season: AsOf, visits: Visits, horizon: int | None) -> Learned:
    def see(look: Look) -> tuple[dict[str, Any], Chosen]:
        chosen, left = members_outcome(
            look.outcomes, look.as_of, days=horizon or 0, known_until=season.today
        )
        facts = look.facts.take(chosen)
        return churn.features(facts, look.as_of.clock, look.as_of.today), (chosen, left[chosen])

    return _learn_churn(looks, horizon, see, "left when it was time to renew")


def _learn_churn(
    looks: list[Look],
    horizon: int | None,
    see: Callable[[Look], tuple[dict[str, Any], Chosen]],
    deed: str,
) -> Learned:
    """Learn from older looks, judge on the newest whose outcome is known, then learn from all."""
    if horizon is None or len(looks) < 3:
        raise NotEnough(
            f"Too little history: {3 * HORIZONS[-1] // 30} months of visits are needed."
        )
    test, *older = [see(look) for look in looks[1:]]
    names = set(test[0]).intersection(*(found for found, _ in older))
    found, left = _stacked(older, names)
    _require_enough(left, FEWEST_OF_A_KIND, deed)
    test_found, test_left = _stacked([test], names)
    _require_enough(test_left, FEWEST_TO_TEST, deed)
    metrics = churn.judge(churn.fit_churn(found, left).probability(test_found), test_left)
    metrics |= {"horizonDays": horizon, "since": looks[1].as_of.now.date().isoformat()}
    if metrics["auc"] < WORST_AUC or metrics["brier"] >= metrics["baseBrier"]:
        raise NotEnough(
            "Who left could hardly be told from who stayed by what they did before "
            f"(AUC {metrics['auc']:.2f})."
        )
    found, left = _stacked([test, *older], names)
    return Learned(len(left), churn.fit_churn(found, left).as_json(), metrics)


def _stacked(
    several: list[tuple[dict[str, Any], Chosen]], names: set[str]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    found = {
        name: np.concatenate([one[name] for one, _ in several])
        for name in several[0][0]
        if name in names
    }
    return found, np.concatenate([left for _, (_, left) in several])


def _require_enough(left: NDArray[np.float64], fewest: int, deed: str) -> None:
    gone, stayed = int(left.sum()), int(len(left) - left.sum())
    if gone < fewest:
        raise NotEnough(
            f"Too few to learn from: {gone} of {len(left)} {deed}; {fewest} are needed."
        )
    if stayed < fewest:
        raise NotEnough(f"Too few to learn from: only {stayed} of {len(left)} did not leave.")


def visiting(facts: Facts, today: int) -> lifetimes.History:
    """Visits as purchases, in days; for people who came at least once."""
    return lifetimes.History(
        facts.visit_days - 1, facts.last_visit - facts.first_visit, today - facts.first_visit
    )


def paying(facts: Facts, today: int) -> lifetimes.History:
    """Days of payment as purchases; for people who paid at least once."""
    return lifetimes.History(
        facts.paid_days - 1, facts.last_paid - facts.first_paid, today - facts.first_paid
    )


def _rhythm(look: Look) -> lifetimes.PurchaseModel | None:
    facts = look.facts.take(_players(look)[0])
    try:
        return lifetimes.fit_purchases(visiting(facts, look.as_of.today)) if len(facts) else None
    except lifetimes.FitError:
        return None


def _learn_value(looks: list[Look], season: AsOf, visits: Visits, horizon: int | None) -> Learned:
    """Fit on all history; judge the same fitted as of one horizon ago by what was spent since."""
    now = looks[0]
    paid = _payers(now)
    facts = now.facts.take(paid)
    repeaters = int((facts.paid_days > 1).sum())
    known = season.today - visits.first if visits.first is not None else 0
    if known < VALUE_HISTORY_DAYS:
        raise NotEnough("Too little history: a year of it is needed.")
    if repeaters < FEWEST_REPEATERS:
        raise NotEnough(
            f"Too few have paid more than once: {repeaters}; {FEWEST_REPEATERS} are needed."
        )
    try:
        purchases, spend = _fit_value(facts, season.today)
        metrics = _judge_value(now, looks[1]) if horizon and len(looks) > 1 else {}
    except lifetimes.FitError as error:
        raise NotEnough(str(error)) from error
    parameters = {"purchases": vars(purchases), "spend": vars(spend)}
    return Learned(len(facts), parameters, metrics)


def _payers(look: Look) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = (look.facts.paid_days > 0) & (look.outcomes.was_member == 0)
    return chosen


def _fit_value(facts: Facts, today: int) -> tuple[lifetimes.PurchaseModel, lifetimes.SpendModel]:
    history = paying(facts, today)
    return lifetimes.fit_purchases(history), lifetimes.fit_spend(
        history.frequency, mean_again(facts)
    )


def mean_again(facts: Facts) -> NDArray[np.float64]:
    """Cents a day of payment after the first; 0 for who paid once."""
    mean: NDArray[np.float64] = facts.paid_again / np.maximum(facts.paid_days - 1, 1)
    return np.maximum(mean, 0)


def _judge_value(now: Look, then: Look) -> dict[str, Any]:
    chosen = _payers(then)
    facts, today = then.facts.take(chosen), then.as_of.today
    spent = now.facts.take(chosen).paid_total - facts.paid_total
    purchases, spend = _fit_value(facts, today)
    ahead = float(now.as_of.today - today)
    expected = purchases.expected(paying(facts, today), ahead=ahead) * spend.expected(
        facts.paid_days - 1, mean_again(facts)
    )
    return {
        "people": len(facts),
        "horizonDays": int(ahead),
        "meanError": round(float(np.abs(expected - spent).mean())),
        "meanSpent": round(float(spent.mean())),
        "expectedShare": round(float(expected.sum() / spent.sum()), 3) if spent.sum() else None,
    }


LEARNERS: dict[ScoreModelKind, Callable[[list[Look], AsOf, Visits, int | None], Learned]] = {
    ScoreModelKind.SEASON: _learn_season,
    ScoreModelKind.CHURN_MEMBERS: _learn_members,
    ScoreModelKind.CHURN_PLAYERS: _learn_players,
    ScoreModelKind.VALUE: _learn_value,
}
