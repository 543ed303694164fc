"""When people opened and clicked, as SVG: no script, and every bar leads to its people."""

from dataclasses import dataclass

from campaigns.admin.results.links import people
from campaigns.choices import Dimension
from campaigns.models import Campaign
from campaigns.services.breakdowns import LAST_HOUR, breakdown

SHOWN = ("opened", "clicked", "converted")
WIDTH, HEIGHT, BASE = 720, 180, 150
SHORTEST = 24


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    kind: str
    said: str
    url: str


@dataclass(frozen=True)
class Hours:
    """``marks`` are (x, words) under the bars; ``rows`` the same as numbers, for a table."""

    bars: list[Bar]
    marks: list[tuple[float, str]]
    kinds: list[str]
    rows: list[tuple[str, list[tuple[int, str]]]]
    most: int


def hours(campaign: Campaign) -> Hours | None:
    """Opens, clicks and conversions by hours after the start; None where nothing is known."""
    by_hour = {int(row.value): row for row in breakdown(campaign.pk, Dimension.HOUR)}
    kinds = [kind for kind in SHOWN if any(getattr(row, kind) for row in by_hour.values())]
    if not kinds:
        return None
    most = max(getattr(row, kind) for row in by_hour.values() for kind in kinds)
    last = max(hour for hour, row in by_hour.items() if any(getattr(row, k) for k in kinds))
    slots = max(SHORTEST, last + 1)
    slot = WIDTH / slots
    bars, rows = [], []
    for hour in range(slots):
        row = by_hour.get(hour)
        if row is None:
            continue
        cells = []
        for place, kind in enumerate(kinds):
            count, url = getattr(row, kind), people(campaign, kind.upper(), hour=str(hour))
            cells.append((count, url))
            if count:
                height = max(2.0, BASE * count / most)
                width = slot * 0.8 / len(kinds)
                x = hour * slot + slot * 0.1 + place * width
                said = f"{_when(hour)}: {count:,} {kind}"
                bars.append(Bar(*_rounded(x, BASE - height, width, height), kind, said, url))
        if any(count for count, _ in cells):
            rows.append((_when(hour), cells))
    step = 6 if slots <= 36 else 12
    marks = [
        (round(hour * slot, 1), f"{hour} h")
        for hour in range(0, slots, step)
        if hour * slot < WIDTH - 30
    ]
    return Hours(bars, marks, kinds, rows, most)


def _rounded(*numbers: float) -> tuple[float, float, float, float]:
    x, y, width, height = (round(each, 1) for each in numbers)
    return x, y, width, height


def _when(hour: int) -> str:
    return f"Later than {LAST_HOUR} h" if hour >= LAST_HOUR else f"{hour}–{hour + 1} h"
