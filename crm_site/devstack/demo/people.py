"""The people of a demo club, household by household. Pure: the same seed makes the same people."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from uuid import UUID

from crm_site.devstack.demo.clubs import (
    CORPORATE,
    FULL,
    JUNIOR,
    SENIOR,
    SOCIAL,
    STUDENT,
    WEEKDAY,
    DemoTenant,
    Tier,
)
from crm_site.devstack.demo.names import TONGUES, Names
from crm_site.devstack.demo.places import FAR, NEAR, STREETS, Place


class Kind(Enum):
    MEMBER = auto()
    LAPSED = auto()
    VISITOR = auto()
    LEAD = auto()
    SUBSCRIBER = auto()


KINDS = (Kind.MEMBER, Kind.LAPSED, Kind.VISITOR, Kind.LEAD, Kind.SUBSCRIBER)
KIND_SHARES = (54, 9, 24, 9, 4)
# Mobile prefixes in use; every number goes on with 555, as nobody's does.
MOBILE = ("60", "61", "63", "71", "72", "73", "74", "76", "78", "79", "81", "82", "83", "84")
CHANNELS = ("EMAIL", "SMS", "PUSH", "WHATSAPP")


@dataclass(frozen=True)
class Household:
    family_name: str
    tongue: Names
    kind: Kind
    place: Place
    address: str


@dataclass(frozen=True)
class Membership:
    tier: Tier
    number: int
    joined_on: date


@dataclass(frozen=True)
class Person:
    """Somebody with everything a story about them needs. Addresses as the person writes them."""

    number: int
    kind: Kind
    household: Household
    first_name: str
    last_name: str
    gender: str
    born_on: date
    email: str | None
    phone: str | None
    membership: Membership | None
    player_id: UUID
    contact_id: UUID
    handicap: float | None
    keenness: float
    consents: dict[str, bool] = field(default_factory=dict)
    second_email: str | None = None
    auth_user_id: UUID | None = None

    def dice(self, subject: str) -> random.Random:
        """Chance of this person's own, so that one story never shifts another's."""
        return random.Random(f"{self.player_id}:{subject}")


class _Register:
    """Hands out addresses that are taken only once."""

    def __init__(self, tenant: DemoTenant, dice: random.Random) -> None:
        self.dice = dice
        self.emails: set[str] = set()
        self.phones: set[str] = set()
        self.next_member_number = tenant.first_member_number

    def email(self, first: str, last: str) -> str:
        domain = self.dice.choice(("example.com", "example.org"))
        plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode()
        local = plain.lower().replace(" ", "")
        tries = [
            local,
            f"{local[0]}{local.partition('.')[2]}",
            f"{local}{self.dice.randint(50, 99)}",
        ]
        for candidate in tries:
            if f"{candidate}@{domain}" not in self.emails:
                break
        else:
            candidate = f"{local}{len(self.emails)}"
        self.emails.add(f"{candidate}@{domain}")
        return f"{candidate}@{domain}"

    def phone(self) -> str:
        while True:
            number = f"0{self.dice.choice(MOBILE)} 555 {self.dice.randint(0, 9999):04}"
            if number not in self.phones:
                self.phones.add(number)
                return number

    def member_number(self) -> int:
        self.next_member_number += 1
        return self.next_member_number - 1


def make_people(tenant: DemoTenant, *, count: int, seed: int, today: date) -> list[Person]:
    """``count`` people of the club. A larger count begins with the same people."""
    dice = random.Random(f"{seed}:{tenant.id}")
    register = _Register(tenant, dice)
    people: list[Person] = []
    while len(people) < count:
        people += _household(dice, register, len(people), today)
    return people[:count]


def _household(
    dice: random.Random, register: _Register, number: int, today: date
) -> Iterator[Person]:
    """One to five people who share a name, an address and sometimes a phone."""
    tongue = dice.choices(TONGUES, [tongue.share for tongue in TONGUES])[0]
    kind = dice.choices(KINDS, KIND_SHARES)[0]
    places = FAR if kind is Kind.VISITOR and dice.random() < 0.7 else NEAR
    place = dice.choices(places, [place.weight for place in places])[0]
    address = f"{dice.randint(1, 140)} {dice.choice(STREETS)}"
    home = Household(dice.choice(tongue.families), tongue, kind, place, address)

    born = _adult_birthday(dice, today)
    first = _person(dice, register, home, number, born, dice.random() < 0.27, today)
    yield first
    if kind in (Kind.LEAD, Kind.SUBSCRIBER) or dice.random() > 0.38:
        return
    partner_born = born + timedelta(days=dice.randint(-1800, 1800))
    partner = _person(
        dice, register, home, number + 1, partner_born, first.gender == "M", today, parent=None
    )
    yield partner
    age = (today - born).days // 365
    if kind is Kind.VISITOR or not 33 <= age <= 58 or dice.random() > 0.6:
        return
    for child in range(dice.choice((1, 1, 2, 2, 3))):
        child_age = dice.randint(9, min(22, max(9, age - 25)))
        child_born = today - timedelta(days=child_age * 365 + dice.randint(0, 364))
        is_girl = dice.random() < 0.4
        yield _person(
            dice, register, home, number + 2 + child, child_born, is_girl, today, parent=first
        )


def _person(
    dice: random.Random,
    register: _Register,
    home: Household,
    number: int,
    born: date,
    is_woman: bool,
    today: date,
    parent: Person | None = None,
) -> Person:
    first_name = dice.choice(home.tongue.women if is_woman else home.tongue.men)
    age = (today - born).days // 365
    kind = home.kind
    email: str | None = register.email(first_name, home.family_name)
    phone: str | None = register.phone()
    if parent and age < 16:  # Children are reached through a parent.
        email = parent.email if dice.random() < 0.4 else None
        phone = parent.phone if dice.random() < 0.3 else None
    elif dice.random() < 0.06:
        email = None
    elif dice.random() < 0.10:
        phone = None
    is_member = kind in (Kind.MEMBER, Kind.LAPSED)
    plays = kind in (Kind.MEMBER, Kind.LAPSED, Kind.VISITOR) and dice.random() < 0.93
    return Person(
        number=number,
        kind=kind,
        household=home,
        first_name=first_name,
        last_name=home.family_name,
        gender="F" if is_woman else "M",
        born_on=born,
        email=email,
        phone=phone,
        membership=Membership(
            _tier(dice, age), register.member_number(), _joined_on(dice, age, today)
        )
        if is_member
        else None,
        player_id=UUID(int=dice.getrandbits(128), version=4),
        contact_id=UUID(int=dice.getrandbits(128), version=4),
        handicap=_handicap(dice, age, is_woman) if plays else None,
        keenness=round(dice.betavariate(2.2, 2.2), 3),
        consents=_consents(dice, kind),
        second_email=_second_email(dice, register, home, first_name),
        # Those who use the club's app.
        auth_user_id=UUID(int=dice.getrandbits(128), version=4) if dice.random() < 0.4 else None,
    )


def _adult_birthday(dice: random.Random, today: date) -> date:
    years = min(86, max(23, dice.gauss(50, 14)))
    return today - timedelta(days=int(years * 365.25))


def _tier(dice: random.Random, age: int) -> Tier:
    if age < 19:
        return JUNIOR
    if age < 26:
        return STUDENT
    if age >= 62:
        return dice.choices((SENIOR, FULL, SOCIAL), (70, 18, 12))[0]
    return dice.choices((FULL, WEEKDAY, SOCIAL, CORPORATE), (60, 20, 13, 7))[0]


def _joined_on(dice: random.Random, age: int, today: date) -> date:
    """Half joined within five years; nobody before the age of eight."""
    years = min(dice.expovariate(1 / 7), max(0.2, age - 8), 38)
    return today - timedelta(days=max(1, int(years * 365.25)))


def _handicap(dice: random.Random, age: int, is_woman: bool) -> float:
    middle = 23 if is_woman else 16
    middle += 5 if age < 15 or age > 70 else 0
    return round(min(36.0, max(0.4, dice.gauss(middle, 6.5))), 1)


def _consents(dice: random.Random, kind: Kind) -> dict[str, bool]:
    """What was answered, per channel; a channel that is not here was never asked about."""
    yes = {"EMAIL": 0.82, "SMS": 0.58, "PUSH": 0.35, "WHATSAPP": 0.42}
    asked = {"EMAIL": 0.95, "SMS": 0.7, "PUSH": 0.25, "WHATSAPP": 0.3}
    if kind is Kind.SUBSCRIBER:
        return {"EMAIL": True}
    return {
        channel: dice.random() < yes[channel]
        for channel in CHANNELS
        if dice.random() < asked[channel]
    }


def _second_email(
    dice: random.Random, register: _Register, home: Household, first_name: str
) -> str | None:
    """A few people booked as a guest under another address before anybody knew them."""
    if home.kind is not Kind.MEMBER or dice.random() > 0.03:
        return None
    return register.email(f"{first_name}.golf", home.family_name)
