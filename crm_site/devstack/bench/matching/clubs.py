"""Clubs of invented households, some of whose people are on file twice."""

import csv
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate, combinations
from pathlib import Path
from random import Random

from crm_site.devstack.bench.matching.spelling import misdate, mistype, shorten
from crm_site.devstack.bench.matching.truth import Truth
from crm_site.devstack.demo.names import TONGUES, Names
from customers.matching.preparing import COLUMNS

TODAY = date(2026, 11, 1)
# Of 100 households so many have one, two … members at the club.
HOUSEHOLD_SIZES = (54, 27, 9, 7, 3)
TWICE_ON_FILE = 0.053
MAILBOXES = ("gmail.com", "icloud.com", "outlook.com", "mweb.co.za", "yahoo.com", "telkomsa.net")
STREETS = ("Road", "Street", "Avenue", "Drive", "Lane", "Close", "Crescent", "Place")
TREES = (
    *("Acacia", "Albizia", "Aloe", "Baobab", "Beech", "Birch", "Cedar", "Coral", "Cypress", "Elm"),
    *("Fever Tree", "Fig", "Flame", "Heron", "Hornbill", "Ibis", "Jacaranda", "Kingfisher"),
    *("Lagoon", "Loerie", "Mahogany", "Mangrove", "Maple", "Marula", "Milkwood", "Oak", "Olive"),
    *("Palm", "Pine", "Plover", "Protea", "Ridge", "Sandpiper", "Stinkwood", "Sunbird", "Umbrella"),
    *(
        "Victoria",
        "Weaver",
        "Willow",
        "Yellowwood",
        "Church",
        "Main",
        "Marine",
        "Station",
        "School",
    ),
)


@dataclass(frozen=True)
class Person:
    """What is so, whoever writes it down."""

    first_name: str
    last_name: str
    born: date
    email: str
    phone: str
    street: str
    city: str
    postal_code: str
    is_woman: bool


class Chooser:
    """Words as they are met: the first often, the last hardly ever."""

    def __init__(self, words: Sequence[str], steepness: float) -> None:
        self.words = words
        self.sums = list(accumulate((rank + 3) ** -steepness for rank in range(len(words))))

    def __call__(self, dice: Random) -> str:
        return self.words[bisect(self.sums, dice.random() * self.sums[-1])]


class Tongue:
    """Names of one mother tongue, with a long tail of family names that few bear."""

    def __init__(self, names: Names, dice: Random) -> None:
        self.women, self.men = Chooser(names.women, 0.7), Chooser(names.men, 0.7)
        self.families = Chooser([*names.families, *_rare_families(names, dice)], 0.85)


def _rare_families(names: Names, dice: Random) -> list[str]:
    """Beginnings and ends of real names, put together anew."""
    heads = [name[: len(name) // 2 + 1] for name in names.families]
    tails = [name[len(name) // 2 + 1 :] for name in names.families]
    made = {f"{head}{tail}" for head in heads for tail in tails} - {*names.families}
    rare = sorted(made)
    dice.shuffle(rare)
    return rare[:2_500]


def make_club(path: Path, *, profiles: int, seed: int) -> Truth:
    """Write a club of that many profiles to ``path``."""
    dice, club = Random(seed), Truth(path)
    towns = [_town(dice, number) for number in range(max(4, profiles // 6_000))]
    tongues = [Tongue(names, dice) for names in TONGUES]
    shares = [names.share for names in TONGUES]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        while club.profile_count < profiles:
            tongue = dice.choices(tongues, shares)[0]
            household = _household(dice, tongue, dice.choice(towns))
            for row in _write_down(dice, club, household, tongue):
                writer.writerow(row)
    return club


def _town(dice: Random, number: int) -> tuple[str, list[str]]:
    name = f"{dice.choice(TREES)} {dice.choice(('Bay', 'Hills', 'Park', 'Rock', 'Vale', 'Beach'))}"
    return f"{name} {number}" if number > 60 else name, [
        f"{4000 + number * 7 + n}" for n in range(6)
    ]


def _household(dice: Random, tongue: Tongue, town: tuple[str, list[str]]) -> list[Person]:
    size = dice.choices((1, 2, 3, 4, 5), HOUSEHOLD_SIZES)[0]
    family, age = tongue.families(dice), dice.randint(20, 85)
    home = {
        "street": f"{dice.randint(1, 240)} {dice.choice(TREES)} {dice.choice(STREETS)}",
        "city": town[0],
        "postal_code": dice.choice(town[1]),
    }
    is_woman = dice.random() < 0.4
    head = _person(dice, tongue, family, age, is_woman, home)
    members = [head]
    if size > 1 and dice.random() < 0.8:
        their = family if dice.random() < 0.85 else tongue.families(dice)
        partner = _person(dice, tongue, their, age + dice.randint(-5, 5), not is_woman, home)
        members.append(_sharing(dice, partner, head, email=0.2, phone=0.1))
    while len(members) < size:
        members.append(_child(dice, tongue, members, age, home))
    return members


def _child(
    dice: Random, tongue: Tongue, members: list[Person], age: int, home: dict[str, str]
) -> Person:
    years = max(6, age - dice.randint(22, 38))
    child = _person(dice, tongue, members[0].last_name, years, dice.random() < 0.4, home)
    siblings = members[2:]
    if siblings and dice.random() < 0.05:  # Twins.
        child = replace(child, born=siblings[-1].born)
    father = next((member for member in members[:2] if not member.is_woman), None)
    if father and not child.is_woman and dice.random() < 0.0125:
        child = replace(child, first_name=father.first_name)
    return _sharing(dice, child, members[0], email=0.4, phone=0.35)


def _sharing(dice: Random, person: Person, head: Person, *, email: float, phone: float) -> Person:
    """Relatives give the family's mailbox or telephone."""
    if dice.random() < email:
        person = replace(person, email=head.email)
    return replace(person, phone=head.phone) if dice.random() < phone else person


def _person(
    dice: Random, tongue: Tongue, family: str, age: int, is_woman: bool, home: dict[str, str]
) -> Person:
    first = (tongue.women if is_woman else tongue.men)(dice)
    born = TODAY - timedelta(days=round(max(6, age) * 365.25) + dice.randrange(365))
    return Person(
        first,
        family,
        born,
        _email(dice, first, family, born),
        _phone(dice),
        **home,
        is_woman=is_woman,
    )


def _phone(dice: Random) -> str:
    return (
        f"+27{dice.choice((60, 71, 72, 73, 76, 78, 79, 81, 82, 83, 84))}{dice.randrange(10**7):07}"
    )


def _email(dice: Random, first: str, family: str, born: date) -> str:
    first, family = first.lower(), family.lower().replace(" ", "")
    name = dice.choice(
        (f"{first}.{family}", f"{first}{family[0]}", f"{first[0]}{family}", f"{first}")
    )
    # Two strangers hold no address together, so most end in a number.
    number = (
        f"{str(born.year)[2:]}{dice.randrange(10**5)}"
        if dice.random() < 0.9
        else dice.randrange(10**8)
    )
    return f"{name}{number}@{dice.choice(MAILBOXES)}"


def _write_down(
    dice: Random, club: Truth, household: list[Person], tongue: Tongue
) -> Iterator[list[str]]:
    known: list[tuple[Person, list[str]]] = []
    for person in household:
        times = 1 if dice.random() >= TWICE_ON_FILE else 2 if dice.random() < 0.93 else 3
        ids = [f"{dice.getrandbits(128):032x}" for _ in range(times)]
        club.profile_count += times
        club.same_person |= {_pair(*two) for two in combinations(ids, 2)}
        for relative, others in known:
            pairs = {_pair(one, other) for one in ids for other in others}
            club.relatives |= pairs
            if (relative.first_name, relative.last_name) == (person.first_name, person.last_name):
                club.namesakes |= pairs
            elif relative.born == person.born:
                club.twins |= pairs
        known.append((person, ids))
        for number, profile_id in enumerate(ids):
            yield _profile(dice, profile_id, _again(dice, person, tongue) if number else person)


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _again(dice: Random, person: Person, tongue: Tongue) -> Person:
    """The same person, years later or to somebody who does not ask how it is spelled."""
    first, family = person.first_name, person.last_name
    chance = dice.random()
    if chance < 0.12:
        family = mistype(dice, family)
    elif chance < 0.22:
        first = mistype(dice, first)
    elif chance < 0.34:
        first = shorten(dice, first)
    elif chance < 0.37:
        first, family = family, first
    elif chance < 0.40:
        first = first[0]
    elif chance < 0.44 and person.is_woman:
        family = tongue.families(dice)
    elif chance < 0.46 and person.is_woman:
        family = f"{family}-{tongue.families(dice)}"
    known = replace(person, first_name=first, last_name=family)
    if dice.random() < 0.5:
        known = replace(known, email=_email(dice, first, family, person.born))
    if dice.random() < 0.28:
        known = replace(known, phone=_phone(dice))
    if dice.random() < 0.18:
        home = f"{dice.randint(1, 240)} {dice.choice(TREES)} {dice.choice(STREETS)}"
        known = replace(
            known, street=home, postal_code=str(dice.randint(4000, 9999)), city="Elsewhere"
        )
    elif dice.random() < 0.1:
        known = replace(known, street=mistype(dice, known.street))
    return replace(known, born=misdate(dice, person.born)) if dice.random() < 0.05 else known


def _profile(dice: Random, profile_id: str, person: Person) -> list[str]:
    """What the form got: much is left empty."""
    chance = dice.random()
    born = "" if chance < 0.3 else "1970-01-01" if chance < 0.31 else person.born.isoformat()
    has_address = dice.random() >= 0.28
    return [
        *(profile_id, person.first_name, person.last_name, born),
        "" if dice.random() < 0.1 else person.email,
        "" if dice.random() < 0.15 else person.phone,
        *((person.street, person.city, person.postal_code) if has_address else ("", "", "")),
        "",
    ]


def mark_changed(path: Path, target: Path, *, count: int) -> None:
    """Write a file of profiles again with the last ``count`` of them marked as changed."""
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = [f"{line}t" for line in lines[-count:]]
    target.write_text("\n".join([*lines[:-count], *changed, ""]), encoding="utf-8")
