"""Timing ours against a floor, turn by turn, and what to say of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles

Work = Callable[[], object]


@dataclass
class Comparison:
    """Seconds of ours and of the floor for the same work, and how they may relate.

    ``limit`` is the most that ours ÷ floor may be. Where a rate is what matters, ``units`` done in
    each turn make it one.
    """

    name: str
    limit: float
    units: int | None = None
    note: str = ""
    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(self.ours) / median(self.floor)

    @property
    def is_met(self) -> bool:
        return self.ratio <= self.limit


@dataclass
class Latency:
    """Seconds that single things took from end to end; ``limit`` is the 99th percentile's."""

    name: str
    limit: float
    seconds: list[float]
    note: str = ""

    @property
    def p50(self) -> float:
        return median(self.seconds)

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100, method="inclusive")[-1]

    @property
    def is_met(self) -> bool:
        return self.p99 <= self.limit


@dataclass
class Page:
    """Milliseconds and queries of one page, asked for again and again."""

    name: str
    milliseconds: list[float]
    queries: int

    @property
    def median(self) -> float:
        return median(self.milliseconds)

    @property
    def p95(self) -> float:
        return quantiles(self.milliseconds, n=20, method="inclusive")[-1]


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(comparison: Comparison, *, ours: Work, floor: Work, runs: int) -> Comparison:
    """``runs`` turns of each, the other first every second time; one unmeasured turn before."""
    ours(), floor()
    pair = [(ours, comparison.ours), (floor, comparison.floor)]
    for _ in range(runs):
        for work, measured in pair:
            measured.append(seconds(work))
        pair.reverse()
    return comparison
