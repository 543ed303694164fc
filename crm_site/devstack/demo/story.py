"""What each person did in the past fourteen months, told as the events of the services that saw it.

Pure: people in, events out, sorted by time, none in the future.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from crm_site.devstack.demo import cloudevents as ce
from crm_site.devstack.demo.calendar import (
    AHEAD,
    TOLD_DAYS,
    Season,
    any_hour,
    at,
    office_hours,
    tee_time,
)
from crm_site.devstack.demo.cloudevents import Event, cloud_event
from crm_site.devstack.demo.clubs import FULL, VISITOR_DAYS, Course, DemoTenant
from crm_site.devstack.demo.competitions import Competition, competitions_of
from crm_site.devstack.demo.people import Kind, Membership, Person

SHOP = (
    ("Glove", 34_900),
    ("Dozen balls", 79_900),
    ("Cap", 42_000),
    ("Golf shirt", 89_900),
    ("Lesson with the professional", 65_000),
    ("Range balls", 9_500),
    ("Cart hire", 38_000),
    ("Halfway house", 14_500),
    ("Shoes", 219_900),
    ("Putter", 389_900),
)


# Shares of the visitors: who was known when the story begins, and who came and stays away by now.
KNOWN_OF_OLD, VISITORS_LOST = 0.45, 0.4
RENEWED_EARLY = 25  # Days before its end at which a membership is paid for at the earliest.
FADING_DAYS = 300


@dataclass(frozen=True)
class Story:
    """What is told about one club, as of ``today``'s midnight."""

    tenant: DemoTenant
    today: date
    season: Season
    competitions: tuple[Competition, ...]

    @property
    def now(self) -> datetime:
        return at(self.today, time(0))


def tell(tenant: DemoTenant, people: Iterable[Person], *, today: date) -> list[Event]:
    """All events of the time before ``today`` that is told of, oldest first."""
    season = Season(today)
    story = Story(tenant, today, season, competitions_of(tenant, season))
    events = [event for person in people for event in _life(story, person)]
    limit = ce.iso(story.now)
    return sorted(
        (event for event in events if event["time"] < limit), key=lambda e: (e["time"], e["id"])
    )


def _life(story: Story, person: Person) -> Iterator[Event]:
    since = _known_since(story, person)
    yield from _arrival(story, person, since)
    yield from _consent(story, person, since)
    if person.membership:
        yield from _membership(story, person, person.membership)
    if person.handicap is not None:
        yield from _golf(story, person, since)
    if person.kind in (Kind.MEMBER, Kind.VISITOR):
        yield from _shopping(story, person, since)
    if person.second_email:
        yield from _second_self(story, person)


def _known_since(story: Story, person: Person) -> date:
    """The first day the club's systems tell of; members of old came with the first import."""
    if person.membership:
        return max(person.membership.joined_on, story.season.first_day)
    dice = person.dice("since")
    if person.kind is Kind.VISITOR and dice.random() < KNOWN_OF_OLD:
        return story.season.first_day + timedelta(days=dice.randint(1, 20))
    return story.season.first_day + timedelta(days=dice.randint(1, TOLD_DAYS - 1))


def _arrival(story: Story, person: Person, since: date) -> Iterator[Event]:
    dice = person.dice("arrival")
    # Before the office opens, so that whatever else is told of the day finds them.
    moment = at(since, time(6, dice.randint(0, 59), dice.randint(0, 59)))
    if person.membership:
        yield cloud_event(
            "scl",
            "member.created",
            moment,
            ce.as_known_to_scl(person),
            membershipTier=person.membership.tier.name,
            membershipStatus="ACTIVE",
            memberSince=person.membership.joined_on.isoformat(),
            membershipExpiry=_first_expiry(story, person.membership).isoformat(),
        )
    if person.handicap is not None:
        yield cloud_event(
            "teetime",
            "player.created",
            moment + timedelta(minutes=20),
            ce.as_known_to_teetime(person)
            | {"externalIds": {"golfRsaId": str(dice.randint(2_700_000_000, 2_799_999_999))}},
        )
    if person.email or person.phone:
        customer = ce.as_known_to_messaging(person)
        if not person.membership and person.handicap is None:
            customer |= {"city": person.household.place.city, "country": "ZA"}
        yield cloud_event("messaging", "contact.linked", moment + timedelta(minutes=45), customer)


def _consent(story: Story, person: Person, since: date) -> Iterator[Event]:
    dice = person.dice("consent")
    has = {
        "EMAIL": person.email,
        "SMS": person.phone,
        "PUSH": person.auth_user_id,
        "WHATSAPP": person.phone,
    }
    for channel, allowed in person.consents.items():
        if not has.get(channel):
            continue
        moment = office_hours(since, dice) + timedelta(hours=3)
        yield _preference(person, channel, allowed, moment, dice.choice(("front desk", "website")))
        if allowed and dice.random() < 0.05:  # Some think better of it.
            gone = since + timedelta(days=dice.randint(20, 360))
            yield _preference(person, channel, False, any_hour(gone, dice), "preference centre")


def _preference(
    person: Person, channel: str, allowed: bool, moment: datetime, told_at: str
) -> Event:
    return cloud_event(
        "messaging",
        "contactPreference.updated",
        moment,
        ce.contact(person),
        channel=channel,
        optedIn=allowed,
        changedAt=ce.iso(moment),
        source=told_at,
    )


# Membership


def _first_expiry(story: Story, membership: Membership) -> date:
    """The first anniversary of joining within or after the time that is told."""
    return _anniversary(membership.joined_on, after=story.season.first_day)


def _anniversary(day: date, *, after: date) -> date:
    for year in range(max(day.year + 1, after.year), after.year + 3):
        # 29 February falls on the 28th in other years.
        found = day.replace(year=year, day=28 if (day.month, day.day) == (2, 29) else day.day)
        if found > after:
            return found
    raise ValueError(f"{day} has no anniversary soon after {after}.")


def _membership(story: Story, person: Person, membership: Membership) -> Iterator[Event]:
    dice = person.dice("membership")
    if membership.joined_on > story.season.first_day:
        yield _payment(
            person, office_hours(membership.joined_on, dice), membership.tier.annual_fee, "Joining"
        )
    expiry, leaves_on = _first_expiry(story, membership), _leaves_on(story, person, membership)
    while expiry - timedelta(days=RENEWED_EARLY) < story.today:
        if expiry == leaves_on:
            left = dice.random() < 0.3
            yield cloud_event(
                "scl",
                "member.resigned" if left else "member.lapsed",
                office_hours(expiry, dice),
                ce.member(person),
                **{"from": "ACTIVE", "to": "RESIGNED" if left else "LAPSED"},
                effectiveOn=expiry.isoformat(),
            )
            return
        if dice.random() < 0.05:
            return  # Still to be reminded: the day has come or will come, and nothing was paid.
        yield from _renewal(story, person, membership, expiry)
        expiry = _anniversary(membership.joined_on, after=expiry)
    is_of_old = membership.joined_on < story.season.first_day
    if is_of_old and membership.tier.name in ("Weekday", "Social") and dice.random() < 0.08:
        moved_on = story.season.first_day + timedelta(days=dice.randint(60, 350))
        yield cloud_event(
            "scl",
            "member.tierChanged",
            office_hours(moved_on, dice),
            ce.member(person),
            **{"from": membership.tier.name, "to": FULL.name},
            effectiveOn=moved_on.isoformat(),
        )


def _leaves_on(story: Story, person: Person, membership: Membership) -> date | None:
    """The last day of a membership that is not renewed any more: its newest anniversary."""
    if person.kind is not Kind.LAPSED:
        return None
    day = _first_expiry(story, membership)
    while (later := _anniversary(membership.joined_on, after=day)) < story.today:
        day = later
    return day


def _renewal(story: Story, person: Person, membership: Membership, expiry: date) -> Iterator[Event]:
    dice = person.dice(f"renewal {expiry}")
    renewed_on = max(
        expiry - timedelta(days=dice.randint(0, RENEWED_EARLY)),
        story.season.first_day + timedelta(days=1),
    )
    paid_at = office_hours(renewed_on, dice)
    yield _payment(person, paid_at, membership.tier.annual_fee, "Annual subscription")
    yield cloud_event(
        "scl",
        "member.renewed",
        paid_at + timedelta(minutes=5),
        ce.member(person),
        **{
            "from": expiry.isoformat(),
            "to": _anniversary(membership.joined_on, after=expiry).isoformat(),
        },
        effectiveOn=expiry.isoformat(),
    )


def _payment(person: Person, moment: datetime, amount: int, what: str) -> Event:
    return cloud_event(
        "scl",
        "payment.received",
        moment,
        ce.member(person),
        amount=amount,
        currency="ZAR",
        reference=f"{what} {moment:%d %b %Y}",
    )


def _shopping(story: Story, person: Person, since: date) -> Iterator[Event]:
    dice = person.dice("shop")
    count = int(dice.expovariate(1.0 if person.membership else 2.2))
    days = story.season.days(VISITOR_DAYS, start=since, end=story.today, count=count, dice=dice)
    for day in days:
        what, price = dice.choice(SHOP)
        yield _payment(person, office_hours(day, dice), price, what)


# Golf


def _golf(story: Story, person: Person, since: date) -> Iterator[Event]:
    dice = person.dice("golf")
    until = _plays_until(story, person, since)
    handicap = person.handicap or 0.0
    home = story.tenant.courses[0].club if dice.random() < 0.7 else story.tenant.courses[-1].club
    yield cloud_event(
        "teetime",
        "handicap.updated",
        office_hours(since, dice) + timedelta(hours=4),
        ce.player(person) | _home_club(story, person, home),
        handicap=handicap,
        provider="GolfRSA",
    )
    weekdays = person.membership.tier.days if person.membership else VISITOR_DAYS
    share = (until - since).days / 365
    days = story.season.days(
        weekdays,
        start=since + timedelta(days=10),  # Booked when they were known already.
        end=until,
        count=_rounds(person, share),
        dice=dice,
    )
    for day in days:
        # Who is about to leave comes less and less.
        if person.kind is Kind.LAPSED and dice.random() > (until - day).days / FADING_DAYS:
            continue
        course = dice.choices(
            story.tenant.courses, [3 if c.club == home else 1 for c in story.tenant.courses]
        )[0]
        yield from _round(story, person, course, tee_time(day, dice))
        if dice.random() < 0.22:
            handicap = round(min(36.0, max(0.0, handicap + dice.gauss(-0.08, 0.55))), 1)
            yield cloud_event(
                "teetime",
                "handicap.updated",
                at(day, time(21, 30)),
                ce.player(person),
                handicap=handicap,
                provider="GolfRSA",
            )
    if person.kind is Kind.MEMBER:
        yield from _competing(story, person, handicap)


def _plays_until(story: Story, person: Person, since: date) -> date:
    """Members play for as long as they are members; many a visitor once had enough of it."""
    if person.membership:
        end = _leaves_on(story, person, person.membership)
        return end or story.today + timedelta(days=AHEAD)
    dice = person.dice("last round")
    if dice.random() < VISITORS_LOST:
        return since + timedelta(days=int((story.today - since).days * dice.random()))
    return story.today + timedelta(days=AHEAD)


def _home_club(story: Story, person: Person, club: str) -> dict[str, str]:
    if not person.membership:
        return {}
    name = next(house.name for house in story.tenant.houses if house.external_id == club)
    return {"homeClubId": club, "homeClubName": name}


def _rounds(person: Person, share: float) -> int:
    if not person.membership:
        return 1 + int(9 * person.keenness**2 * share)
    low, high = person.membership.tier.rounds_a_year
    return round((low + (high - low) * person.keenness) * share * 0.42)


def _round(story: Story, person: Person, course: Course, start: datetime) -> Iterator[Event]:
    """A tee time booked, and then played or given back; visitors pay at the counter."""
    dice = person.dice(f"round {start}")
    is_weekend = start.weekday() >= 5
    full_price = course.weekend_price if is_weekend else course.weekday_price
    price = person.membership.tier.round_price if person.membership else full_price
    players = dice.choices((1, 2, 3, 4), (6, 22, 20, 52))[0]
    total = price * (1 if person.membership else players)
    details = {
        "bookingId": f"BK-{dice.randint(100_000, 999_999)}",
        "clubId": course.club,
        "course": course.name,
        "teeTime": start.isoformat(),
        "players": players,
        "price": total,
    }
    booked_at = any_hour(start.date() - timedelta(days=dice.randint(1, 9)), dice)
    yield cloud_event("teetime", "booking.created", booked_at, ce.player(person), **details)
    yield from _reminder(story, person, start)
    if dice.random() < 0.09:
        gone_at = booked_at + (start - booked_at) * dice.uniform(0.2, 0.95)
        yield cloud_event("teetime", "booking.cancelled", gone_at, ce.player(person), **details)
        return
    if not person.membership:
        paid_at = start - timedelta(minutes=dice.randint(8, 40))
        yield _payment(person, paid_at, total, "Green fee")
    finished = start + timedelta(minutes=dice.randint(225, 290))
    yield cloud_event("teetime", "booking.completed", finished, ce.player(person), **details)


def _reminder(story: Story, person: Person, start: datetime) -> Iterator[Event]:
    """The text message of the evening before; the last month's are still in the log."""
    reminded_at = at(start.date() - timedelta(days=1), time(17, 0))
    if not (
        person.consents.get("SMS") and person.phone and reminded_at > story.now - timedelta(30)
    ):
        return
    dice = person.dice(f"reminder {start}")
    message = {"messageId": f"tee-{dice.getrandbits(48):012x}", "channel": "SMS", "metadata": {}}
    for event_type, seconds in (("message.sent", 2), ("message.delivered", 9)):
        moment = reminded_at + timedelta(seconds=seconds)
        yield cloud_event("messaging", event_type, moment, ce.contact(person), **message)


def _competing(story: Story, person: Person, handicap: float) -> Iterator[Event]:
    dice = person.dice("competitions")
    for competition in story.competitions:
        if (
            not competition.is_open_to(person)
            or dice.random() > competition.appeal * person.keenness
        ):
            continue
        entered = competition.day - timedelta(days=dice.randint(2, 20))
        details = {"competitionId": competition.id, "name": competition.name}
        yield cloud_event(
            "teetime", "competition.entered", any_hour(entered, dice), ce.player(person), **details
        )
        yield cloud_event(
            "teetime",
            "competition.result",
            at(competition.day, time(18, 15)),
            ce.player(person),
            **details,
            position=dice.randint(1, competition.field_size),
            score=max(14, min(44, round(dice.gauss(33 - handicap / 18, 4.5)))),
        )


def _second_self(story: Story, person: Person) -> Iterator[Event]:
    """Somebody played as a guest before joining, under another address: two profiles, one person.

    Later the membership system learns the other address too, and the pair comes to light.
    """
    dice = person.dice("second self")
    first_seen = story.season.first_day + timedelta(days=dice.randint(5, 200))
    player_id = f"{dice.getrandbits(128):032x}"
    guest = {
        "teetimePlayerId": player_id,
        "email": person.second_email,
        "firstName": person.first_name[0] if dice.random() < 0.3 else person.first_name,
        "lastName": person.last_name,
    }
    course = dice.choice(story.tenant.courses)
    moment = any_hour(first_seen, dice)
    yield cloud_event("teetime", "player.created", moment, guest)
    details = {
        "bookingId": f"BK-{dice.randint(100_000, 999_999)}",
        "clubId": course.club,
        "course": course.name,
        "teeTime": tee_time(first_seen + timedelta(days=2), dice).isoformat(),
        "players": 2,
        "price": course.weekday_price * 2,
    }
    yield cloud_event(
        "teetime",
        "booking.created",
        moment + timedelta(minutes=4),
        {"teetimePlayerId": player_id},
        **details,
    )
    learned = max(first_seen, _known_since(story, person)) + timedelta(days=dice.randint(10, 120))
    yield cloud_event(
        "scl",
        "member.updated",
        office_hours(min(learned, story.today - timedelta(days=1)), dice),
        ce.member(person) | {"lastName": person.last_name, "email": person.second_email},
    )
