"""What is known of n people on one day: one array of length n for each fact."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """Days are ordinals, NaN where there is none; counts are of days or of deeds.

    "90 days" and "180 days" of visits are days of play (see ``clock``); those of opens are days.
    Money is in cents.
    """

    is_member: Floats  # 1 for a current membership
    has_left: Floats  # 1 once the membership ended
    member_since: Floats
    expiry: Floats
    first_visit: Floats
    last_visit: Floats
    visit_days: Floats  # ever
    visits_90: Floats
    visits_before: Floats  # in the 90 days of play before those
    visits_year: Floats
    rounds_90: Floats
    competitions_90: Floats
    payments_90: Floats
    rounds_180: Floats
    competitions_180: Floats
    payments_180: Floats
    opens: Floats  # in 90 days
    clicks: Floats
    first_paid: Floats
    last_paid: Floats
    paid_days: Floats  # ever
    paid_total: Floats  # cents ever
    paid_again: Floats  # cents on all days after the first
    paid_year: Floats  # cents in 365 days

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> "Facts":
        """From rows with one number for each field, in order."""
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(fields(cls)))
        return cls(*table.T)

    def __len__(self) -> int:
        return len(self.is_member)

    def take(self, chosen: NDArray[Any]) -> "Facts":
        return Facts(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @staticmethod
    def joined(several: Sequence["Facts"]) -> "Facts":
        return Facts(
            *(np.concatenate([getattr(one, f.name) for one in several]) for f in fields(Facts))
        )


FACT_NAMES = tuple(field.name for field in fields(Facts))
