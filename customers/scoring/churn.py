"""How likely somebody is to leave: a logistic regression on a club's own past, or a plain rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from customers.scoring.clock import PlayClock
from customers.scoring.facts import Facts

Floats = NDArray[np.float64]
Points = NDArray[np.int64]
BINS = 5

# The rule of thumb: silence from 30 to 180 days of play, coming less, a membership that ends.
SILENCE, SILENT_FROM, SILENT_UNTIL = 45, 30, 180
SLOWING, SLOWING_VISITS = 30, 3
EXPIRED, WITHIN_30, WITHIN_60 = 25, 15, 8


def rule_points(facts: Facts, clock: PlayClock, today: int) -> dict[str, Points]:
    """Risk by rule of thumb, at most 100; its parts."""
    silence = np.nan_to_num(clock.since(facts.last_visit, today), nan=np.inf)
    span = SILENT_UNTIL - SILENT_FROM
    fell_short = 1 - facts.visits_90 / np.maximum(facts.visits_before, 1)
    left = np.nan_to_num(facts.expiry - today, nan=np.inf)
    ending = np.select([left < 0, left <= 30, left <= 60], [EXPIRED, WITHIN_30, WITHIN_60], 0)
    parts = {
        "silence": SILENCE * np.clip((silence - SILENT_FROM) / span, 0, 1),
        "slowing": np.where(
            facts.visits_before >= SLOWING_VISITS, SLOWING * np.clip(fell_short, 0, 1), 0
        ),
        "membership": ending,
    }
    return {name: np.rint(values).astype(np.int64) for name, values in parts.items()}


def features(
    facts: Facts, clock: PlayClock, today: int, *, expected_visits: Floats | None = None
) -> dict[str, Floats]:
    """What the regression looks at. Counts as logarithms: the first few matter most.

    ``expected_visits``, where the rhythm of purchases is known, joins as ``rhythm``.
    """
    silence = clock.since(facts.last_visit, today)
    kinds = [facts.rounds_180, facts.competitions_180, facts.payments_180]
    found: dict[str, Floats] = {
        "silence": np.log1p(np.clip(np.nan_to_num(silence, nan=730), 0, 730)),
        "year": np.log1p(facts.visits_year),
        "slowing": np.log1p(facts.visits_before) - np.log1p(facts.visits_90),
        "breadth": np.sum([kind > 0 for kind in kinds], axis=0, dtype=np.float64),
        "attention": np.log1p(facts.opens + 2 * facts.clicks),
    }
    if expected_visits is None:
        years = np.clip((today - facts.member_since) / 365.25, 0, 60)
        found["tenure"] = np.log1p(np.nan_to_num(years))
    else:
        found["rhythm"] = np.log1p(expected_visits)
    return found


@dataclass(frozen=True)
class ChurnModel:
    """A fitted regression on standardised features."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def contributions(self, found: Mapping[str, Floats]) -> Floats:
        """What each feature adds to each person's log-odds: n by features."""
        table = np.column_stack([found[name] for name in self.names])
        standard = (table - np.array(self.means)) / np.array(self.spreads)
        added: Floats = standard * np.array(self.weights)
        return added

    def probability(self, found: Mapping[str, Floats]) -> Floats:
        return _sigmoid(self.intercept + self.contributions(found).sum(axis=1))

    def points(self, found: Mapping[str, Floats]) -> dict[str, Points]:
        """100 × the probability taken apart: ``base`` is somebody average, the rest adds to it.

        What each feature adds in log-odds is told in points by one slope a person, so that the
        points sum exactly to the rounded score; what rounding leaves goes to the largest.
        """
        added = self.contributions(found)
        moved = added.sum(axis=1)
        base = float(_sigmoid(np.float64(self.intercept)))
        score = 100 * _sigmoid(self.intercept + moved)
        level = base * (1 - base)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(np.abs(moved) > 1e-9, (score - 100 * base) / moved, 100 * level)
        points = np.rint(added * slope[:, None]).astype(np.int64)
        rounded_base = round(100 * base)
        rest = np.rint(score).astype(np.int64) - rounded_base - points.sum(axis=1)
        points[np.arange(len(points)), np.abs(added).argmax(axis=1)] += rest
        told = dict(zip(self.names, points.T, strict=True))
        return {"base": np.full(len(points), rounded_base), **told}

    def as_json(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "means": list(self.means),
            "spreads": list(self.spreads),
            "weights": list(self.weights),
            "intercept": self.intercept,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ChurnModel":
        return cls(
            names=tuple(value["names"]),
            means=tuple(value["means"]),
            spreads=tuple(value["spreads"]),
            weights=tuple(value["weights"]),
            intercept=value["intercept"],
        )


def fit_churn(found: Mapping[str, Floats], left: Floats) -> ChurnModel:
    """Fit on people of whom it is known by now whether they ``left`` (0 or 1; both occur)."""
    from sklearn.linear_model import LogisticRegression

    table = np.column_stack(list(found.values()))
    means, spreads = table.mean(axis=0), table.std(axis=0)
    spreads[spreads < 1e-9] = 1.0
    fitted = LogisticRegression(max_iter=1000).fit((table - means) / spreads, left)
    return ChurnModel(
        tuple(found),
        tuple(means.tolist()),
        tuple(spreads.tolist()),
        tuple(fitted.coef_[0].tolist()),
        float(fitted.intercept_[0]),
    )


def judge(probability: Floats, left: Floats) -> dict[str, Any]:
    """How good predictions were on people they had not seen.

    AUC, the Brier score beside that of telling everybody the average, and in fifths of the
    predicted risk how many were expected to leave and how many did.
    """
    from sklearn.metrics import brier_score_loss, roc_auc_score

    fifths = np.array_split(np.argsort(probability, kind="stable"), BINS)
    return {
        "people": len(left),
        "left": int(left.sum()),
        "auc": round(float(roc_auc_score(left, probability)), 4),
        "brier": round(float(brier_score_loss(left, probability)), 4),
        "baseBrier": round(float(left.mean() * (1 - left.mean())), 4),
        "calibration": [
            {
                "people": len(fifth),
                "expected": round(float(probability[fifth].mean()), 4),
                "left": round(float(left[fifth].mean()), 4),
            }
            for fifth in fifths
            if len(fifth)
        ],
    }


def _sigmoid(values: Any) -> Floats:
    settled: Floats = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return settled
