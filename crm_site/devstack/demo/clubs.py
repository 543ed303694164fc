"""The demo clubs: what they are called, what they charge, when people play."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Course:
    """One course; ``club`` is the id TeeTime sends as clubId. Prices in cents."""

    club: str
    name: str
    weekday_price: int
    weekend_price: int


@dataclass(frozen=True)
class Tier:
    """A kind of membership. Fee and price of a round in cents; ``days`` weighs Monday to Sunday."""

    name: str
    annual_fee: int
    round_price: int
    rounds_a_year: tuple[int, int]
    days: tuple[float, ...]


@dataclass(frozen=True)
class ClubHouse:
    external_id: str
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class DemoTenant:
    """A tenant to seed; its first member has ``first_member_number``."""

    id: str
    name: str
    houses: tuple[ClubHouse, ...]
    courses: tuple[Course, ...]
    first_member_number: int


FULL = Tier("Full", 1_680_000, 6_000, (10, 34), (1, 2, 3, 1.5, 2, 6, 4))
WEEKDAY = Tier("Weekday", 1_020_000, 6_000, (8, 24), (2, 3, 3, 3, 3, 0, 0))
SENIOR = Tier("Senior", 840_000, 4_500, (10, 36), (1, 5, 2, 5, 2, 0.5, 0.5))
JUNIOR = Tier("Junior", 180_000, 2_000, (4, 16), (0.5, 0.5, 1, 0.5, 2, 4, 4))
STUDENT = Tier("Student", 390_000, 3_500, (4, 14), (1, 2, 3, 2, 2, 2, 2))
SOCIAL = Tier("Social", 240_000, 19_500, (0, 4), (0.5, 1, 1, 1, 3, 4, 3))
CORPORATE = Tier("Corporate", 2_400_000, 6_000, (6, 18), (0.5, 1, 2, 3, 5, 1.5, 0.5))
VISITOR_DAYS = (0.5, 1, 1.5, 1.5, 3, 5, 4)

# How much is played in each month, January first: mild dry winters, and the holidays of December.
SEASON = (1.0, 0.85, 0.95, 1.1, 1.1, 1.15, 1.3, 1.1, 1.0, 0.9, 0.85, 1.25)

KINGFISHER = DemoTenant(
    id="kingfisher",
    name="Kingfisher Bay Golf Club",
    houses=(
        ClubHouse("kingfisher-bay", "Kingfisher Bay", -29.5108, 31.2206),
        ClubHouse("kingfisher-ridge", "Kingfisher Ridge", -29.6893, 31.0361),
    ),
    courses=(
        Course("kingfisher-bay", "Lagoon Course", 52_000, 69_000),
        Course("kingfisher-bay", "Dunes Course", 46_000, 59_000),
        Course("kingfisher-ridge", "Ridge Course", 39_000, 48_000),
    ),
    first_member_number=1_001,
)
MILKWOOD = DemoTenant(
    id="milkwood",
    name="Milkwood Country Club",
    houses=(ClubHouse("milkwood", "Milkwood", -29.6006, 30.3794),),
    courses=(Course("milkwood", "Milkwood Course", 34_000, 42_000),),
    first_member_number=501,
)
