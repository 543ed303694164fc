"""How engaged somebody is, 0 to 100: a sum of four parts, each with a most it can give.

recency     30, less 1/180 for each day of play since they last came
frequency   35, a twelfth for each day they came in 90 days of play
breadth     15, a third for each of playing, competing and buying in 180 days of play
attention   20, 3 for each message opened and 6 for each clicked in 90 days
"""

import numpy as np
from numpy.typing import NDArray

from customers.scoring.clock import PlayClock
from customers.scoring.facts import Facts

Points = NDArray[np.int64]
RECENCY, FREQUENCY, BREADTH, ATTENTION = 30, 35, 15, 20
FADING_DAYS, FULL_VISITS, OPEN, CLICK = 180, 12, 3, 6


def engagement_points(facts: Facts, clock: PlayClock, today: int) -> dict[str, Points]:
    """The parts of each person's score; what somebody never did gives 0."""
    silence = np.nan_to_num(clock.since(facts.last_visit, today), nan=np.inf)
    kinds = sum(
        (count > 0).astype(int)
        for count in (facts.rounds_180, facts.competitions_180, facts.payments_180)
    )
    parts = {
        "recency": RECENCY * np.clip(1 - silence / FADING_DAYS, 0, 1),
        "frequency": FREQUENCY * np.minimum(1, facts.visits_90 / FULL_VISITS),
        "breadth": BREADTH / 3 * kinds,
        "attention": np.minimum(ATTENTION, OPEN * facts.opens + CLICK * facts.clicks),
    }
    return {name: np.rint(values).astype(np.int64) for name, values in parts.items()}
