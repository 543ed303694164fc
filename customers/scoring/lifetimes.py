"""How often somebody will come back, and what they will spend: MBG/NBD and Gamma-Gamma.

MBG/NBD: Batislam, Denizel and Filiztekin, "Empirical validation and comparison of models for
customer base analysis" (2007). Unlike BG/NBD it lets somebody drop out right after the first
purchase. Gamma-Gamma: Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013).
Any unit of time will do, as long as it is the same throughout.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

Floats = NDArray[np.float64]
# So little that it moves no figure, yet keeps parameters finite where people are all alike.
PENALTY = 1e-6
# Where all pay nearly the same, one green fee for instance, there is nobody to tell apart.
EVEN = 0.01


class FitError(ValueError):
    """No parameters describe these histories."""


class History(NamedTuple):
    """What each of n people did: arrays of length n.

    ``frequency`` counts purchases after the first, ``recency`` is the time from the first to the
    last, ``age`` the time from the first until now.
    """

    frequency: Floats
    recency: Floats
    age: Floats


@dataclass(frozen=True)
class PurchaseModel:
    """A fitted MBG/NBD."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, history: History) -> Floats:
        """The probability that each person still comes at all."""
        x, recency, age = history
        odds = self.a / (self.b + x)
        return 1 / (1 + odds * ((self.alpha + age) / (self.alpha + recency)) ** (self.r + x))

    def expected(self, history: History, *, ahead: float) -> Floats:
        """How many purchases each person is expected to make in the time ``ahead``."""
        x, _, age = history
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        until = alpha + age + ahead
        grown = hyp2f1(r + x, b + x + 1, a + b + x, ahead / until)
        came = 1 - grown * ((alpha + age) / until) ** (r + x)
        expected: Floats = (a + b + x) / (a - 1) * came * self.alive(history)
        return np.maximum(np.nan_to_num(expected), 0)


def fit_purchases(history: History) -> PurchaseModel:
    """Fit MBG/NBD by maximum likelihood. Raises FitError."""
    equal, counts = np.unique(np.column_stack(history), axis=0, return_counts=True)
    x, recency, age = equal.T
    weights, scale = counts / counts.sum(), 10 / max(float(age.max()), 1.0)
    recency, age = recency * scale, age * scale

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        likelihood = (
            gammaln(r + x) - gammaln(r) + r * np.log(alpha)
            + betaln(a, b + x + 1) - betaln(a, b) - (r + x) * np.log(alpha + age)
            + np.logaddexp(
                0, np.log(a) - np.log(b + x) + (r + x) * np.log((alpha + age) / (alpha + recency))
            )
        )  # fmt: skip
        return float(-weights @ likelihood)

    r, alpha, a, b = _search(loss, size=4)
    return PurchaseModel(r, alpha / scale, a, b)


@dataclass(frozen=True)
class SpendModel:
    """A fitted Gamma-Gamma; amounts are in the unit it was fitted on."""

    p: float
    q: float
    v: float

    def expected(self, frequency: Floats, mean: Floats) -> Floats:
        """The average amount of each person's coming purchases.

        ``mean`` is the average of the purchases counted by ``frequency``; at 0 everybody's.
        """
        weight = self.p * frequency / (self.p * frequency + self.q - 1)
        everybody = self.v * self.p / (self.q - 1)
        expected: Floats = (1 - weight) * everybody + weight * mean
        return expected


def fit_spend(frequency: Floats, mean: Floats) -> SpendModel:
    """Fit Gamma-Gamma on people with repeat purchases above nothing. Raises FitError."""
    has_repeat = (frequency > 0) & (mean > 0)
    x, m = frequency[has_repeat], mean[has_repeat]
    if len(x) < 2:
        raise FitError("Nobody bought twice.")
    scale = float(m.mean())
    m = m / scale
    if m.std() < EVEN:
        return SpendModel(1 / EVEN, 1 / EVEN, scale * (1 - EVEN))

    def loss(logs: Floats) -> float:
        p, q, v = np.exp(logs)
        likelihood = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
        )  # fmt: skip
        return float(-likelihood.mean())

    p, q, v = _search(loss, size=3)
    if q <= 1:  # The mean of everybody would be without bound.
        raise FitError("What people spend is too uneven to tell from it.")
    return SpendModel(p, q, v * scale)


def _search(loss: Any, *, size: int) -> tuple[float, ...]:
    """The positive parameters of the least loss, from a start that suits both models."""
    found = minimize(
        lambda logs: loss(logs) + PENALTY * float(logs @ logs),
        np.full(size, 0.1),
        method="Nelder-Mead",
        options={"maxiter": 4000, "xatol": 1e-4, "fatol": 1e-8},
    )
    parameters = np.exp(found.x)
    if not (found.success and np.isfinite(parameters).all()):
        raise FitError("No parameters fit.")
    return tuple(float(each) for each in parameters)
