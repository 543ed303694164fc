"""Time as a golf club feels it: a week in which nobody played last year hardly passes.

Days are counted as ordinals (``date.toordinal``). A week of the season counts in full; one in which
the club was half as busy last year as in its average week counts half, one in which it was closed
not at all. So silence in a closed winter sinks nobody, and "the last 90 days of play" reach back
over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WEEK, YEAR_WEEKS = 7, 52
# Two weeks on either side, so that Easter or a storm of last year does not tell.
SMOOTHING = 2
# How far back weeks are weighed; before that a day counts as a day.
WEEKS_WEIGHED = 3 * YEAR_WEEKS


def monday_of(day: int) -> int:
    return day - (day - 1) % WEEK  # 1 January of year 1 was a Monday.


@dataclass(frozen=True)
class PlayClock:
    """What each week counts, 0 to 1, from ``first_monday`` on. ``has_year``: last year is known."""

    first_monday: int
    weights: tuple[float, ...]
    has_year: bool

    def read(self, days: Floats | float) -> Floats:
        """The clock's own time at midnight of each day; only differences mean something."""
        ends = self.first_monday + WEEK * np.arange(len(self.weights) + 1)
        told = np.concatenate([[0.0], np.cumsum(self.weights) * WEEK])
        days = np.asarray(days, dtype=np.float64)
        outside = np.minimum(days - ends[0], 0) + np.maximum(days - ends[-1], 0)
        read: Floats = np.interp(days, ends, told) + outside
        return read

    def since(self, days: Floats, until: float) -> Floats:
        """Days of play from each day to ``until``; NaN stays NaN."""
        passed: Floats = self.read(until) - self.read(days)
        return passed

    def back(self, until: int, amount: float) -> int:
        """The latest day from which at least ``amount`` days of play passed up to ``until``."""
        earliest = min(self.first_monday, until) - int(amount) - 1
        days = np.arange(earliest, until + 1, dtype=np.float64)
        enough = self.read(until) - self.read(days) >= amount - 1e-9
        return int(days[enough][-1])

    def as_json(self) -> dict[str, Any]:
        return {
            "firstMonday": self.first_monday,
            "weights": [round(weight, 3) for weight in self.weights],
            "hasYear": self.has_year,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PlayClock":
        return cls(value["firstMonday"], tuple(value["weights"]), value["hasYear"])


def clock_of(visits: Mapping[int, int], today: int) -> PlayClock:
    """The clock of a club with so many ``visits`` in the week of each Monday.

    A week is weighed by the same weeks a year before it; one whose year before is not known counts
    in full.
    """
    this_week = monday_of(today)
    first = this_week - (WEEKS_WEIGHED - 1) * WEEK
    earliest = min(visits, default=this_week)
    weights = tuple(
        _weight(visits, monday, earliest) for monday in range(first, this_week + 1, WEEK)
    )
    return PlayClock(first, weights, has_year=_knows_last_year(this_week, earliest))


def _knows_last_year(monday: int, earliest: int) -> bool:
    return monday - (YEAR_WEEKS + SMOOTHING) * WEEK >= earliest


def _weight(visits: Mapping[int, int], monday: int, earliest: int) -> float:
    if not _knows_last_year(monday, earliest):
        return 1.0
    then = monday - YEAR_WEEKS * WEEK
    near = [visits.get(then + n * WEEK, 0) for n in range(-SMOOTHING, SMOOTHING + 1)]
    start = max(earliest, then - YEAR_WEEKS // 2 * WEEK)
    year = [visits.get(start + n * WEEK, 0) for n in range(YEAR_WEEKS)]
    average = sum(year) / len(year)
    return min(1.0, sum(near) / len(near) / average) if average else 1.0
