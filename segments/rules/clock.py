"""Time as rules mean it: one ``now``, and days of the tenant's calendar."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Unit = Literal["minutes", "hours", "days", "weeks", "months", "years"]

EXACT = {
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
}
MONTHS = {"months": 1, "years": 12}
DAY_UNITS = ("days", "weeks", "months", "years")
UNITS = ("minutes", "hours", *DAY_UNITS)

# What lies further off than a date can say is as good as for ever.
FIRST = datetime(1, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """A length of time as a rule states it; ``amount`` is 1 or more."""

    amount: int
    unit: Unit


@dataclass(frozen=True)
class Clock:
    """The moment a question is asked, and the zone whose days it means."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def starts(self, day: date) -> datetime:
        """The first moment of a local day. A midnight that comes twice counts from the first."""
        try:
            return datetime.combine(day, time(), self.zone).astimezone(UTC)
        except OverflowError:
            return FIRST if day.year == 1 else LAST

    def ends(self, day: date) -> datetime:
        """The first moment after a local day."""
        return self.starts(day + timedelta(days=1)) if day < date.max else LAST

    def moved(self, span: Span, direction: Literal[-1, 1]) -> datetime:
        """The moment ``span`` after now (1) or before it (-1).

        Up to weeks exactly so many seconds; months and years keep the local time of day and stop
        at the month's last day.
        """
        try:
            if span.unit in EXACT:
                return self.now + direction * span.amount * EXACT[span.unit]
            local = self.now.astimezone(self.zone)
            day = add_months(local.date(), direction * span.amount * MONTHS[span.unit])
            return as_postgresql(datetime.combine(day, local.time(), self.zone))
        except (OverflowError, ValueError):
            return LAST if direction > 0 else FIRST

    def day_moved(self, span: Span, direction: Literal[-1, 1]) -> date:
        """The same for a plain date, counted from today."""
        try:
            if span.unit in EXACT:
                return self.today + direction * span.amount * EXACT[span.unit]
            return add_months(self.today, direction * span.amount * MONTHS[span.unit])
        except (OverflowError, ValueError):
            return date.max if direction > 0 else date.min


def add_months(day: date, months: int) -> date:
    """The same day so many months on; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def as_postgresql(local: datetime) -> datetime:
    """A local time as ``AT TIME ZONE`` reads it, in UTC.

    PostgreSQL takes a skipped time by the offset before the change and a repeated one by the
    offset after it: both times the smaller of the two.
    https://www.postgresql.org/docs/current/datetime-invalid-input.html
    """
    readings = [local.replace(fold=fold) for fold in (0, 1)]
    return min(readings, key=lambda reading: reading.utcoffset() or timedelta()).astimezone(UTC)
