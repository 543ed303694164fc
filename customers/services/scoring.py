"""Every night: engagement, churn risk and predicted value of everybody, each with its why.

Engagement follows ``customers.scoring.engagement``. Churn risk comes from a model of the tenant's
own history, members and players told apart, or where there is too little of it from a rule of
thumb. Predicted value is what somebody spent so far and what is expected of them in a year. All
three count deeds of the customer's own and never what the club did to them.

Loads numpy: only workers may import this; pages read ``score_reading``.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from crm_site.audit.actor import Actor
from crm_site.audit.services import record
from crm_site.jobs.services import Reporter
from crm_site.tenancy.context import require_tenant_id
from customers.choices import ScoreModelKind
from customers.models import CustomerProfile, ScoreModel, ScoreTraining
from customers.scoring import churn, lifetimes
from customers.scoring.clock import monday_of
from customers.scoring.engagement import engagement_points
from customers.scoring.facts import Facts
from customers.services.score_facts import AsOf, People, chunks_of_ids, people_as_of, read_visits
from customers.services.score_training import (
    LOST_DAYS,
    YEAR,
    Tell,
    mean_again,
    paying,
    tenant_in_scope_zone,
    train_models,
    visiting,
)

RETRAIN_AFTER = timedelta(days=7)
HISTORY_WEEKS = 26

WRITE_PROFILES = """
UPDATE customers_customerprofile AS held
   SET engagement_score = new.engagement,
       engagement_score_at = CASE WHEN held.engagement_score IS DISTINCT FROM new.engagement
           THEN %(now)s ELSE held.engagement_score_at END,
       churn_risk_score = new.risk,
       churn_risk_score_at = CASE WHEN held.churn_risk_score IS DISTINCT FROM new.risk
           THEN %(now)s ELSE held.churn_risk_score_at END,
       predicted_ltv = new.value
  FROM unnest(%(ids)s::uuid[], %(engagement)s::int[], %(risk)s::int[], %(value)s::numeric[])
       AS new(id, engagement, risk, value)
 WHERE held.id = new.id AND held.tenant_id = %(tenant)s
   AND held.deleted_at IS NULL AND held.merged_at IS NULL
   AND (held.engagement_score, held.churn_risk_score, held.predicted_ltv)
       IS DISTINCT FROM (new.engagement, new.risk, new.value)
"""
# Who never had a score has no row; the rest one for each week in which theirs became another.
WRITE_HISTORY = """
INSERT INTO customers_customerscore AS held
       (id, tenant_id, customer_id, week, engagement_score, churn_risk_score, predicted_ltv, parts)
SELECT fairway_uuid7(), %(tenant)s, new.id, %(week)s, new.engagement, new.risk, new.value, new.parts
  FROM unnest(%(ids)s::uuid[], %(engagement)s::int[], %(risk)s::int[], %(value)s::numeric[],
              %(parts)s::jsonb[]) AS new(id, engagement, risk, value, parts)
  JOIN customers_customerprofile p ON p.id = new.id AND p.tenant_id = %(tenant)s
  LEFT JOIN LATERAL (
       SELECT last.* FROM customers_customerscore last
        WHERE last.customer_id = new.id AND last.week <= %(week)s
        ORDER BY last.week DESC LIMIT 1) AS last ON true
 WHERE p.deleted_at IS NULL AND p.merged_at IS NULL
   AND (last.id IS NOT NULL OR new.engagement > 0 OR new.risk IS NOT NULL OR new.value IS NOT NULL)
   AND (last.engagement_score, last.churn_risk_score, last.predicted_ltv, last.parts)
       IS DISTINCT FROM (new.engagement, new.risk, new.value, new.parts)
    ON CONFLICT (customer_id, week) DO UPDATE
   SET engagement_score = excluded.engagement_score, churn_risk_score = excluded.churn_risk_score,
       predicted_ltv = excluded.predicted_ltv, parts = excluded.parts
"""


@dataclass(frozen=True)
class Scorer:
    """The models in use at one moment."""

    as_of: AsOf
    members: ScoreModel | None
    players: ScoreModel | None
    value: ScoreModel | None


@dataclass(frozen=True)
class Scores:
    """Of n people: three columns and what they are made of. ``risk`` and ``value`` may be None."""

    engagement: list[int]
    risk: list[int | None]
    value: list[Decimal | None]
    parts: list[dict[str, Any]]


def score_customers(*, now: datetime, tell: Tell = lambda words, share: None) -> int:
    """Renew the scores of everybody in the tenant in scope. Returns how many profiles changed.

    Learns first where nothing was learned for a week. Short transactions; a row that stays as it
    is is not written, so ``…ScoreAt`` says when a score last changed.
    """
    with transaction.atomic():
        last = ScoreModel.objects.order_by("-trained_at").first()
    if last is None or last.trained_at < now - RETRAIN_AFTER:
        train_models(now=now, tell=tell)
    scorer = _scorer(now)
    with transaction.atomic():
        everybody = CustomerProfile.objects.live().count()
    changed = done = 0
    for ids in chunks_of_ids():
        with transaction.atomic():
            people = people_as_of(ids, scorer.as_of)
            changed += _write(people, score(people, scorer), now=now, today=scorer.as_of.today)
        done += len(ids)
        tell(f"{done:,} of {everybody:,} people scored", min(1.0, done / max(1, everybody)))
    return changed


def learn_and_score(job: ScoreTraining, report: Reporter) -> None:
    """What a training does: learn from all there is now, then score everybody by it."""
    now = timezone.now()
    train_models(now=now, tell=lambda words, share: report(share / 2, words))
    changed = score_customers(now=now, tell=lambda words, share: report((1 + share) / 2, words))
    with transaction.atomic():
        changes = {"changed": changed}
        record("TRAIN", job, actor=Actor(job.requested_by), metadata=changes)


def fill_history(*, now: datetime, weeks: int = HISTORY_WEEKS) -> None:
    """Tell what engagement was in each of the ``weeks`` before now, as far as deeds are known.

    For a tenant that has just come: its people's trend begins with their past. Churn risk and value
    of then are not told, for nobody knew then what is known now.
    """
    zone = tenant_in_scope_zone()
    with transaction.atomic():
        visits = read_visits(now=now, zone=zone)
    moments = [now - timedelta(weeks=back) for back in range(weeks, 0, -1)]
    past = [Scorer(visits.as_of(moment, zone), None, None, None) for moment in moments]
    for ids in chunks_of_ids():
        for scorer in past:
            with transaction.atomic():
                people = people_as_of(ids, scorer.as_of)
                engagement = [int(each) for each in _engagement(people.facts, scorer)[0]]
                unknown: list[None] = [None] * len(people)
                scores = Scores(engagement, list(unknown), list(unknown), [{} for _ in unknown])
                _write_history(people.ids, scores, scorer.as_of.today)


def score(people: People, scorer: Scorer) -> Scores:
    """All scores of some people; writes nothing."""
    engagement, points = _engagement(people.facts, scorer)
    risk, explained = _risk(people.facts, scorer)
    expected, value = _value(people, scorer, risk)
    told = _facts_told(people.facts, scorer)
    parts = [
        {
            "engagement": {name: int(each[n]) for name, each in points.items() if each[n]},
            **({"churn": explained[n]} if explained[n] else {}),
            **({"value": {"soFar": round(people.spent[n]), "expected": int(expected[n])}}
               if value[n] is not None else {}),
            "facts": told[n],
        }
        for n in range(len(people))
    ]  # fmt: skip
    risks = [None if np.isnan(each) else int(each) for each in risk]
    return Scores([int(each) for each in engagement], risks, value, parts)


def _scorer(now: datetime) -> Scorer:
    zone = tenant_in_scope_zone()
    with transaction.atomic():
        visits = read_visits(now=now, zone=zone)
        newest = {
            model.kind: model
            for model in ScoreModel.objects.order_by("kind", "-version").distinct("kind")
        }
    usable = {kind: model for kind, model in newest.items() if model.is_usable}
    return Scorer(
        visits.as_of(now, zone),
        usable.get(ScoreModelKind.CHURN_MEMBERS),
        usable.get(ScoreModelKind.CHURN_PLAYERS),
        usable.get(ScoreModelKind.VALUE),
    )


def _engagement(facts: Facts, scorer: Scorer) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    points = engagement_points(facts, scorer.as_of.clock, scorer.as_of.today)
    return np.sum(list(points.values()), axis=0), points


# Churn risk


def _risk(facts: Facts, scorer: Scorer) -> tuple[NDArray[Any], list[dict[str, Any]]]:
    """0 to 100 each, NaN for who has nothing to leave or has left; and what it is made of."""
    today, clock = scorer.as_of.today, scorer.as_of.clock
    is_member = facts.is_member > 0
    plays = ~is_member & (facts.has_left == 0) & (today - facts.last_visit <= LOST_DAYS)
    risk = np.full(len(facts), np.nan)
    explained: list[dict[str, Any]] = [{} for _ in range(len(facts))]
    # A membership that ran out unrenewed is beyond what renewals in the past can tell.
    is_overdue = is_member & (facts.expiry < today)
    for chosen, model in (
        (is_member & ~is_overdue, scorer.members),
        (is_overdue, None),
        (plays, scorer.players),
    ):
        some = facts.take(chosen)
        if model is None:
            points = churn.rule_points(some, clock, today)
            by: dict[str, Any] = {"by": "rule"}
        else:
            points = churn.ChurnModel.from_json(model.parameters).points(
                churn.features(
                    some, clock, today, expected_visits=_expected_visits(some, model, today)
                )
            )
            by = {"by": "model", "version": model.version}
        risk[chosen] = np.sum(list(points.values()), axis=0)
        for place, n in enumerate(np.flatnonzero(chosen)):
            told = {name: int(each[place]) for name, each in points.items() if each[place]}
            explained[n] = by | {"points": told}
    return risk, explained


def _expected_visits(facts: Facts, model: ScoreModel, today: int) -> NDArray[Any] | None:
    if "purchases" not in model.parameters:
        return None
    rhythm = lifetimes.PurchaseModel(**model.parameters["purchases"])
    return rhythm.expected(visiting(facts, today), ahead=model.metrics["horizonDays"])


# Value


def _value(
    people: People, scorer: Scorer, risk: NDArray[Any]
) -> tuple[NDArray[Any], list[Decimal | None]]:
    """Cents expected within a year, and with what was spent so far; None where nothing is known.

    A member is expected to spend as in the year past, if they stay. Two digits say all there is to
    say, and keep rows from changing every night.
    """
    facts, today = people.facts, scorer.as_of.today
    expected = np.zeros(len(people))
    if scorer.value is None:
        return expected, [None] * len(people)
    is_member, pays = facts.is_member > 0, facts.paid_days > 0
    stays = 1 - np.nan_to_num(risk) / 100
    expected[is_member] = (stays * facts.paid_year)[is_member]
    some = facts.take(pays & ~is_member)
    purchases = lifetimes.PurchaseModel(**scorer.value.parameters["purchases"])
    spend = lifetimes.SpendModel(**scorer.value.parameters["spend"])
    expected[pays & ~is_member] = purchases.expected(
        paying(some, today), ahead=YEAR
    ) * spend.expected(some.paid_days - 1, mean_again(some))
    expected = _two_digits(expected)
    return expected, [
        Decimal(round(spent + ahead)) if known else None
        for spent, ahead, known in zip(people.spent, expected, pays, strict=True)
    ]


def _two_digits(values: NDArray[Any]) -> NDArray[Any]:
    size = 10 ** np.maximum(np.floor(np.log10(np.maximum(values, 1))) - 1, 0)
    rounded: NDArray[Any] = np.rint(values / size) * size
    return rounded


# What is kept

TOLD = (
    *("visits_90", "visits_before", "visits_year", "rounds_90", "competitions_90", "payments_90"),
    *("rounds_180", "competitions_180", "payments_180", "opens", "clicks"),
)
DAYS_TOLD = ("last_visit", "expiry", "member_since")


def _facts_told(facts: Facts, scorer: Scorer) -> list[dict[str, Any]]:
    """What the points are for: dates and counts, so that rows change with deeds only."""
    columns = {name: getattr(facts, name) for name in (*TOLD, *DAYS_TOLD)}
    told: list[dict[str, Any]] = []
    for n in range(len(facts)):
        said: dict[str, Any] = {name: int(columns[name][n]) for name in TOLD if columns[name][n]}
        for name in DAYS_TOLD:
            if not np.isnan(columns[name][n]):
                said[name] = date.fromordinal(int(columns[name][n])).isoformat()
        told.append(said)
    return told


def _write(people: People, scores: Scores, *, now: datetime, today: int) -> int:
    _write_history(people.ids, scores, today)
    with connection.cursor() as cursor:
        cursor.execute(WRITE_PROFILES, _columns(people.ids, scores) | {"now": now})
        return int(cursor.rowcount)


def _write_history(ids: Sequence[UUID], scores: Scores, today: int) -> None:
    values: dict[str, Any] = {
        "week": date.fromordinal(monday_of(today)),
        "parts": [json.dumps(parts) for parts in scores.parts],
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE_HISTORY, _columns(ids, scores) | values)


def _columns(ids: Collection[UUID], scores: Scores) -> dict[str, Any]:
    return {
        "tenant": require_tenant_id(),
        "ids": list(ids),
        "engagement": scores.engagement,
        "risk": scores.risk,
        "value": scores.value,
    }
