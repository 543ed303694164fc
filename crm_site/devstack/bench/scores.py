"""How well the models of value foretell, on people none of us made up.

The CDNOW sample of Fader and Hardie (brucehardie.com, "Notes on the CDNOW master data set"): 2,357
people who first bought in early 1997, what they did in 39 weeks and what in the 39 weeks after.
``data/cdnow_sample.csv`` sums up the file that the ``lifetimes`` package (MIT) carries, one line
each: purchases after the first, days from the first to the last, days until 30 September 1997, mean
cents of purchases after the first, then purchases and cents until 30 June 1998.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data") / "cdnow_sample.csv"
DAYS_AHEAD = 39 * 7


@dataclass(frozen=True)
class Foretold:
    """Figures of one model: purchases each, purchases in all, who buys at all, cents each."""

    mean_error: float
    root_mean_square_error: float
    share_of_total: float
    auc: float
    mean_spend_error: float
    mean_spend: float


def foretell_cdnow() -> Foretold:
    """Fit on the first 39 weeks, foretell the next 39."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from customers.scoring.lifetimes import History, fit_purchases, fit_spend

    with DATA.open(encoding="utf-8") as file:
        rows = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
    _, frequency, recency, age, mean, bought, spent = np.array(rows).T
    history = History(frequency, recency, age)
    expected: Any = fit_purchases(history).expected(history, ahead=DAYS_AHEAD)
    cents = fit_spend(frequency, mean).expected(frequency, mean) * expected
    return Foretold(
        mean_error=float(np.abs(expected - bought).mean()),
        root_mean_square_error=float(np.sqrt(((expected - bought) ** 2).mean())),
        share_of_total=float(expected.sum() / bought.sum()),
        auc=float(roc_auc_score(bought > 0, expected)),
        mean_spend_error=float(np.abs(cents - spent).mean()),
        mean_spend=float(spent.mean()),
    )


def value_table() -> Iterator[str]:
    found = foretell_cdnow()
    yield "| CDNOW, 2,357 people, 39 weeks ahead | found | floor |"
    yield "|---|--:|--:|"
    yield f"| purchases, mean absolute error | {found.mean_error:.4f} | at most 0.7650 |"
    rmse = found.root_mean_square_error
    yield f"| purchases, root mean square error | {rmse:.3f} | at most 1.608 |"
    yield f"| purchases in all, foretold of made | {found.share_of_total:.3f} | at least 0.837 |"
    yield f"| who buys again, AUC | {found.auc:.3f} | at least 0.760 |"
    spend, mean = found.mean_spend_error / 100, found.mean_spend / 100
    yield f"| spend, mean absolute error (of {mean:.2f} spent) | {spend:.2f} | at most 29.75 |"
