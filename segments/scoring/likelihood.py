"""A regression that says how likely something is of somebody, why, and how well it says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from customers.scoring.churn import ChurnModel, fit_churn
from segments.scoring.looks import Floats, Seen

REASONS = 3
# What adds less than this to somebody's log-odds is no reason.
LEAST_EFFECT = 0.05


@dataclass(frozen=True)
class Likelihood:
    """The regression of the churn risk, on whatever is asked. ``fills`` stand for the unknown."""

    regression: ChurnModel
    fills: Mapping[str, float]

    def score(self, seen: Seen) -> Floats:
        """From 0 to 1, one a person."""
        return self.regression.probability(self._filled(seen))

    def reasons(self, seen: Seen) -> list[list[dict[str, Any]]]:
        """Of each person the features that speak for them most, strongest first; at most three.

        ``effect`` is in log-odds; ``value`` is the person's own, null where it is not known.
        """
        names = self.regression.names
        added = self.regression.contributions(self._filled(seen))
        order = np.argsort(-added, axis=1, kind="stable")[:, :REASONS]
        return [
            [
                {
                    "feature": names[index],
                    "value": _plain(seen.told[names[index]][row]),
                    "effect": round(float(added[row, index]), 3),
                }
                for index in best
                if added[row, index] >= LEAST_EFFECT
            ]
            for row, best in enumerate(order)
        ]

    def _filled(self, seen: Seen) -> dict[str, Floats]:
        return {name: _fill(seen.counted[name], self.fills[name]) for name in self.fills}


def fit(seen: Seen, outcome: Floats, *, is_balanced: bool = False) -> Likelihood:
    """Learn from people of whom the ``outcome`` (0 or 1; both occur) is known.

    ``is_balanced``: 0.5 says as much one as the other, however few of the one there are.
    """
    fills = {name: _middle(values) for name, values in seen.counted.items()}
    filled = {name: _fill(values, fills[name]) for name, values in seen.counted.items()}
    regression = fit_churn(filled, outcome)
    if is_balanced:
        yes = outcome.sum()
        moved = regression.intercept + float(np.log((len(outcome) - yes) / yes))
        regression = replace(regression, intercept=moved)
    return Likelihood(regression, fills)


@dataclass(frozen=True)
class Trial:
    """People whom a model has not seen: what it said, what was true, how many each stands for."""

    scores: Floats
    outcome: Floats
    weights: Floats

    def auc(self) -> float:
        """The chance that somebody of whom it is true is ranked before somebody of whom not."""
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(self.outcome, self.scores))

    def base_rate(self) -> float:
        return float(np.average(self.outcome, weights=self.weights))

    def share_from(self, score: float) -> float:
        return float(self.weights[self.scores >= score].sum() / self.weights.sum())

    def others(self) -> "Trial":
        """Only those of whom it is not true."""
        rest = self.outcome == 0
        return Trial(self.scores[rest], self.outcome[rest], self.weights[rest])

    def precision(self, share: float) -> float:
        """Of how many it is true among the ``share`` of all that is ranked first."""
        order = np.argsort(-self.scores, kind="stable")
        weights, outcome = self.weights[order], self.outcome[order]
        reached = np.cumsum(weights)
        inside = max(1, int(np.searchsorted(reached, share * reached[-1], side="right")))
        return float(np.average(outcome[:inside], weights=weights[:inside]))


def halves(count: int, *, held_out: float) -> NDArray[np.bool_]:
    """Which of so many are held out; the same ones each time."""
    order = np.random.default_rng(20261122).permutation(count)
    chosen: NDArray[np.bool_] = order < round(count * held_out)
    return chosen


def _middle(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def _fill(values: Floats, middle: float) -> Floats:
    return np.where(np.isnan(values), middle, values)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 1)
