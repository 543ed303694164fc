"""What a model looks at: a figure for each person and feature, and how it is told."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from customers.scoring.churn import features
from customers.scoring.clock import PlayClock
from customers.scoring.facts import Facts

Floats = NDArray[np.float64]
YEAR = 365.25


@dataclass(frozen=True)
class Seen:
    """One array of length n for each feature: as the model counts, and as a person would.

    What is not known is NaN in both.
    """

    counted: dict[str, Floats]
    told: dict[str, Floats]

    def take(self, chosen: NDArray[np.bool_]) -> "Seen":
        return Seen(
            {name: values[chosen] for name, values in self.counted.items()},
            {name: values[chosen] for name, values in self.told.items()},
        )

    @staticmethod
    def joined(several: "list[Seen]") -> "Seen":
        counted, told = (
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            for parts in ([one.counted for one in several], [one.told for one in several])
        )
        return Seen(counted, told)


def look_at_activity(facts: Facts, clock: PlayClock, today: int) -> Seen:
    """What people did, as the churn risk looks at it, and what they spent in a year."""
    counted = features(facts, clock, today) | {"spending": np.log1p(facts.paid_year)}
    told: dict[str, Floats] = {
        "silence": today - facts.last_visit,
        "year": facts.visits_year,
        "slowing": facts.visits_90 - facts.visits_before,
        "breadth": counted["breadth"],
        "attention": facts.opens + facts.clicks,
        "tenure": np.floor((today - facts.member_since) / YEAR),
        "spending": facts.paid_year,
    }
    return Seen(counted, told)


def look_at_person(facts: Facts, born: Floats, handicap: Floats, today: int) -> Seen:
    """Who people are. Neither gender nor name nor where they live, on purpose."""
    age = (today - born) / YEAR
    counted = {"member": facts.is_member, "age": age, "handicap": handicap}
    return Seen(counted, counted | {"age": np.floor(age)})


def both(first: Seen, second: Seen) -> Seen:
    return Seen(first.counted | second.counted, first.told | second.told)
