"""The club's competitions of the past year."""

from dataclasses import dataclass
from datetime import date, timedelta

from crm_site.devstack.demo.calendar import TOLD_DAYS, Season
from crm_site.devstack.demo.clubs import DemoTenant
from crm_site.devstack.demo.people import Person


@dataclass(frozen=True)
class Competition:
    """``appeal``: how likely the keenest member enters. Played off the whole field together."""

    id: str
    name: str
    day: date
    appeal: float
    field_size: int
    gender: str | None = None
    minimum_age: int = 0
    maximum_age: int = 120

    def is_open_to(self, person: Person) -> bool:
        if self.gender and person.gender != self.gender:
            return False
        membership = person.membership
        if membership is None or membership.joined_on > self.day - timedelta(days=25):
            return False
        return self.minimum_age <= (self.day - person.born_on).days // 365 <= self.maximum_age


def competitions_of(tenant: DemoTenant, season: Season) -> tuple[Competition, ...]:
    """A medal on each month's first Saturday, and the big days of the year."""
    short = tenant.houses[0].name
    medals = [_on(day, f"{day:%B} Medal", 0.24, 120) for day in _saturdays(season) if day.day <= 7]
    special = [
        _special(season, 330, "Summer Fourball Classic", 0.16, 96),
        _special(season, 262, "Captain’s Day", 0.3, 144),
        _special(season, 205, "Women’s Open Day", 0.5, 72, gender="F"),
        _special(season, 150, f"{short} Open", 0.28, 144),
        _special(season, 110, "Junior Championship", 0.7, 48, maximum_age=18),
        _special(season, 84, "Seniors’ Trophy", 0.45, 96, minimum_age=60),
        _special(season, 42, "Club Championship", 0.34, 144),
    ]
    earliest = season.first_day + timedelta(days=25)  # Entered by who was known already.
    told = [each for each in (*medals, *special) if each.day >= earliest]
    return tuple(sorted(told, key=lambda each: each.day))


def _saturdays(season: Season) -> list[date]:
    days = (season.first_day + timedelta(days=n) for n in range(TOLD_DAYS))
    return [day for day in days if day.weekday() == 5]


def _special(
    season: Season,
    days_ago: int,
    name: str,
    appeal: float,
    field_size: int,
    *,
    gender: str | None = None,
    minimum_age: int = 0,
    maximum_age: int = 120,
) -> Competition:
    """The Saturday on or after so many days ago."""
    day = season.today - timedelta(days=days_ago)
    day += timedelta(days=(5 - day.weekday()) % 7)
    return Competition(
        _id(day, name),
        f"{name} {day.year}",
        day,
        appeal,
        field_size,
        gender,
        minimum_age,
        maximum_age,
    )


def _on(day: date, name: str, appeal: float, field_size: int) -> Competition:
    return Competition(_id(day, name), f"{name} {day.year}", day, appeal, field_size)


def _id(day: date, name: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return f"{'-'.join(words)}-{day.year}"
