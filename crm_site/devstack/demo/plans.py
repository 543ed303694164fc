"""What the demo club's marketer set up: segments, and campaigns with how they were received."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from crm_site.devstack.demo.calendar import at

Rule = dict[str, Any]


@dataclass(frozen=True)
class SegmentPlan:
    name: str
    description: str
    criteria: list[Rule]
    refresh_frequency: str = "DAILY"


def rule(name: str, operator: str, value: Any = None) -> Rule:
    found = {"field": name, "operator": operator}
    return found if value is None else {**found, "value": value}


ALL, MEMBERS = "All Customers", "Active Members"  # Every tenant starts with these.
LAPSED, VISITORS = "Lapsed Members", "Visitors Who Played"
SEGMENTS = (
    SegmentPlan(
        LAPSED,
        "Left us, or let the membership run out: worth a call.",
        [rule("membershipStatus", "in", ["LAPSED", "RESIGNED"])],
    ),
    SegmentPlan(
        VISITORS,
        "Played with us without being a member.",
        [rule("lifecycleStage", "equals", "CUSTOMER"), rule("lastBookingAt", "isNotNull")],
    ),
    SegmentPlan(
        "Renewing Soon",
        "Membership runs out within 60 days.",
        [
            rule("membershipStatus", "equals", "ACTIVE"),
            rule("membershipExpiry", "withinNext", {"amount": 60, "unit": "days"}),
        ],
    ),
    SegmentPlan(
        "Quiet Members",
        "Members who have not booked for two months.",
        [
            rule("lifecycleStage", "in", ["MEMBER", "ADVOCATE"]),
            rule("lastBookingAt", "notWithinLast", {"amount": 2, "unit": "months"}),
        ],
    ),
    SegmentPlan(
        "Single-figure Women and Seniors",
        "For the league sides.",
        [
            rule("handicap", "lessThan", 10),
            {
                "combinator": "OR",
                "rules": [rule("gender", "equals", "F"), rule("age", "greaterThanOrEqual", 60)],
            },
        ],
        refresh_frequency="WEEKLY",
    ),
)


@dataclass(frozen=True)
class Reception:
    """Of the messages delivered over a channel: shares, and how long people take."""

    bounced: float
    opened: float
    clicked: float
    unsubscribed: float


EMAIL_RECEPTION = Reception(bounced=0.018, opened=0.41, clicked=0.075, unsubscribed=0.004)
SMS_RECEPTION = Reception(bounced=0.03, opened=0.0, clicked=0.06, unsubscribed=0.008)


@dataclass(frozen=True)
class CampaignPlan:
    """A campaign that went out ``days_ago`` at ``hour``, and how well it was liked (1: usual)."""

    name: str
    description: str
    segment: str
    templates: dict[str, str]
    days_ago: int
    hour: time
    liking: float = 1.0
    link: str = "https://www.example.com/news"
    goal: str | None = None
    goal_days: int = 7
    reception: dict[str, Reception] = field(
        default_factory=lambda: {"EMAIL": EMAIL_RECEPTION, "SMS": SMS_RECEPTION}
    )

    def moment(self, today: date) -> datetime:
        return at(today - timedelta(days=self.days_ago), self.hour)


PAST_CAMPAIGNS = (
    CampaignPlan(
        "Winter Newsletter",
        "Course conditions, winter fixtures and the new halfway house menu.",
        ALL,
        {"EMAIL": "newsletter-email"},
        days_ago=148,
        hour=time(9, 30),
    ),
    CampaignPlan(
        "Club Championship: Entries Open",
        "Both rounds on the Lagoon Course.",
        MEMBERS,
        {"EMAIL": "competition-email", "SMS": "offer-sms"},
        days_ago=66,
        hour=time(17, 0),
        liking=1.35,
        link="https://www.example.com/club-championship",
        goal="COMPETITION_ENTERED",
        goal_days=21,
    ),
    CampaignPlan(
        "Midweek Two-for-One",
        "Fill the quiet Wednesdays of October.",
        VISITORS,
        {"SMS": "offer-sms"},
        days_ago=38,
        hour=time(11, 0),
        liking=1.6,
        link="https://www.example.com/2for1",
        goal="TEETIME_BOOKED",
    ),
    CampaignPlan(
        "We Miss You",
        "A cart on the house for those who left.",
        LAPSED,
        {"EMAIL": "winback-email"},
        days_ago=16,
        hour=time(10, 0),
        liking=0.7,
        link="https://www.example.com/come-back",
    ),
)
