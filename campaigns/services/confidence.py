"""Did the campaign do it? The share of those reached beside the share of those held out.

The range is Newcombe's hybrid score interval for the difference of two proportions (R. G. Newcombe,
Statistics in Medicine 17, 1998, method 10), which stays honest for shares near 0 and for groups of
very different size. 95 %: of twenty such ranges one misses.
"""

from dataclasses import dataclass
from math import sqrt

Z = 1.959964
# Below these a range would be so wide, or rest on so few, that it would only mislead.
FEWEST_PEOPLE = 30
FEWEST_CONVERSIONS = 5


@dataclass(frozen=True)
class Group:
    """People, and how many of them did what the campaign was for."""

    people: int
    converted: int

    @property
    def share(self) -> float:
        return self.converted / self.people if self.people else 0.0


@dataclass(frozen=True)
class Uplift:
    """Conversions that would not have come without the campaign: the best guess, and its range.

    In people among those reached; negative where the held out did better.
    """

    extra: int
    low: int
    high: int

    @property
    def is_certain(self) -> bool:
        """Whether the range leaves out that it made no difference."""
        return self.low > 0 or self.high < 0


def measure_uplift(reached: Group, held_out: Group) -> Uplift | None:
    """What the campaign brought beyond what would have come anyway; None: too little to tell."""
    if min(reached.people, held_out.people) < FEWEST_PEOPLE:
        return None
    if reached.converted + held_out.converted < FEWEST_CONVERSIONS:
        return None
    low, high = difference_interval(reached, held_out)
    return Uplift(
        extra=round((reached.share - held_out.share) * reached.people),
        low=round(low * reached.people),
        high=round(high * reached.people),
    )


def difference_interval(one: Group, other: Group) -> tuple[float, float]:
    """The 95 % range of ``one.share - other.share``."""
    difference = one.share - other.share
    (low_one, high_one), (low_other, high_other) = wilson(one), wilson(other)
    below = sqrt((one.share - low_one) ** 2 + (high_other - other.share) ** 2)
    above = sqrt((high_one - one.share) ** 2 + (other.share - low_other) ** 2)
    return difference - below, difference + above


def wilson(group: Group) -> tuple[float, float]:
    """The 95 % range of one share, by Wilson's score."""
    n, share = group.people, group.share
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)
