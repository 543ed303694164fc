"""When golf is played: seasons, weekdays and tee times of the past fourteen months."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from crm_site.devstack.demo.clubs import SEASON

# A year and eight weeks: a season is told by the same weeks a year before, and those around them.
TOLD_DAYS = 420
ZONE = ZoneInfo("Africa/Johannesburg")
AHEAD = 10  # Days for which tee times are booked already.


@dataclass(frozen=True)
class Season:
    """The days told of before ``today`` and those ahead, weighed by month and weekday."""

    today: date

    @property
    def first_day(self) -> date:
        return self.today - timedelta(days=TOLD_DAYS)

    def days(
        self,
        weekdays: tuple[float, ...],
        *,
        start: date,
        end: date,
        count: int,
        dice: random.Random,
    ) -> list[date]:
        """``count`` days, fewer where two fall together, from ``start`` up to ``end``, in order."""
        start = max(start, self.first_day)
        span = [start + timedelta(days=n) for n in range((end - start).days)]
        if not span or count <= 0:
            return []
        weights = list(accumulate(SEASON[day.month - 1] * weekdays[day.weekday()] for day in span))
        return sorted(set(dice.choices(span, cum_weights=weights, k=count)))


def tee_time(day: date, dice: random.Random) -> datetime:
    """A start on the tee sheet: every eight minutes, mornings before afternoons."""
    is_morning = dice.random() < 0.72
    minutes = 6 * 60 + 8 * dice.randint(0, 28) if is_morning else 11 * 60 + 8 * dice.randint(0, 22)
    return at(day, time(minutes // 60, minutes % 60))


def office_hours(day: date, dice: random.Random) -> datetime:
    return at(day, time(dice.randint(8, 16), dice.randint(0, 59), dice.randint(0, 59)))


def any_hour(day: date, dice: random.Random) -> datetime:
    """When people book for themselves, phone in hand: from breakfast to late evening."""
    return at(day, time(dice.randint(6, 21), dice.randint(0, 59), dice.randint(0, 59)))


def at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=ZONE)
