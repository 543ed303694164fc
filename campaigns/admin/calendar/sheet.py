"""A month or a week as days with what goes out on them. Pure but for the zone it is drawn in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from campaigns.services.calendar import Entry

MONTH, WEEK = "month", "week"
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True)
class Day:
    on: date
    entries: list[Entry]
    is_other_month: bool
    is_today: bool
    is_past: bool


@dataclass(frozen=True)
class Sheet:
    """Whole weeks from Monday. ``on`` is any day within; ``before`` and ``after`` turn the page."""

    view: str
    on: date
    first: date
    last: date
    before: date
    after: date
    title: str

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """From the first day's midnight up to that after the last."""
        end = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), zone), datetime.combine(end, time(), zone)

    def weeks(self, entries: Sequence[Entry], *, zone: tzinfo, today: date) -> list[list[Day]]:
        by_day: dict[date, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_day[entry.at.astimezone(zone).date()].append(entry)
        days = [
            Day(
                on=day,
                entries=by_day[day],
                is_other_month=self.view == MONTH and day.month != self.on.month,
                is_today=day == today,
                is_past=day < today,
            )
            for day in (
                self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)
            )
        ]
        return [days[start : start + 7] for start in range(0, len(days), 7)]


def sheet_of(view: str, on: date) -> Sheet:
    """The month or week that ``on`` lies in."""
    if view == WEEK:
        first = on - timedelta(days=on.weekday())
        last = first + timedelta(days=6)
        title = f"{first.day} {first:%B} – {last.day} {last:%B %Y}"
        week = timedelta(days=7)
        return Sheet(WEEK, on, first, last, on - week, on + week, title)
    start = on.replace(day=1)
    following = (start + timedelta(days=31)).replace(day=1)
    end = following - timedelta(days=1)
    first = start - timedelta(days=start.weekday())
    last = end + timedelta(days=6 - end.weekday())
    before = (start - timedelta(days=1)).replace(day=1)
    return Sheet(MONTH, on, first, last, before, following, f"{start:%B %Y}")


def day_of(text: str | None, today: date) -> date:
    """A day out of an address; today for one that cannot be read or is out of all reason."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return day if FIRST_YEAR < day.year < LAST_YEAR else today
