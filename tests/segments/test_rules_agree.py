"""Random rules over random customers: the compiled query and a second opinion in plain Python."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from crm_site.tenancy.context import local_settings
from customers.models import Activity, CustomerProfile
from segments.models import CustomerSegment, CustomerSegmentMembership
from tests.segments.asking import clock, matching
from tests.segments.evaluator import DATES, MOMENTS, Evaluator

TEXTS = ["Durban", "DURBAN", "Élan", "élan", "100%", "a_b", "c\\d", " ", "", None, "Straße", "ÇA"]
TEXT_VALUES = ["durban", "É", "é", "%", "_", "\\", "a", " ", "STRASSE", "ça", "elan", "dur", "AN"]
TAGS = ["vip", "VIP", "junior", "staff"]
UNITS = ["minutes", "hours", "days", "weeks", "months", "years"]
INSTANTS = [
    ("2026-03-31T22:30:00+00:00", "Africa/Johannesburg"),
    ("2024-02-29T12:00:00+00:00", "Africa/Johannesburg"),
    ("2026-03-29T01:30:00+00:00", "Europe/London"),
    ("2026-10-25T00:30:00+00:00", "Europe/London"),
    ("2026-11-30T06:30:00+00:00", "America/New_York"),
]


def some_customers(chance, now, count=40):
    def maybe(make):
        return make() if chance.random() < 0.75 else None

    def day():
        return now.date() + timedelta(days=chance.choice([-1, 0, 1, -30, 29, -365, -366, 7]))

    def birthday():
        return chance.choice([date(1980, 2, 29), date(1990, 2, 28), date(2000, 3, 1), day()])

    def moment():
        return now + timedelta(
            minutes=chance.choice([0, -1, 1, -1440, -60 * 24 * 31, 90, -40, 400])
        )

    rows = [
        CustomerProfile(
            first_name=chance.choice(TEXTS),
            city=chance.choice(TEXTS),
            external_ids=maybe(lambda: {"golfRsaId": chance.choice([7, "7", "A", None])}),
            date_of_birth=maybe(birthday),
            membership_expiry=maybe(day),
            handicap=maybe(lambda: chance.choice(["0.0", "12.5", "-1.5", "36.0"])),
            engagement_score=maybe(lambda: chance.choice([0, 50, 100])),
            lifecycle_stage=chance.choice(["MEMBER", "LEAD", "CHURNED"]),
            tags=chance.sample(TAGS, chance.randint(0, 3)),
            last_booking_at=maybe(moment),
            email_opt_in=chance.random() < 0.5,
        )
        for _ in range(count)
    ]
    with local_settings(consent_writer="messaging"), transaction.atomic():
        CustomerProfile.objects.bulk_create(rows)
    return list(CustomerProfile.objects.all())


def some_activities(chance, customers, now):
    rows = [
        Activity(
            customer=chance.choice(customers),
            type=chance.choice(["TEETIME_BOOKED", "PAYMENT"]),
            category=chance.choice(["BOOKING", "GOLF"]),
            title="-",
            source_service="teetime",
            occurred_at=now - timedelta(hours=chance.choice([-1, 0, 1, 24, 24 * 40])),
            metadata=chance.choice([{}, {"holes": 18}, {"course": {"id": "7"}}, {"paid": True}]),
        )
        for _ in range(90)
    ]
    Activity.objects.bulk_create(rows)
    found = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(
            {"type": row.type, "category": row.category, "metadata": row.metadata,
             "occurredAt": row.occurred_at}
        )  # fmt: skip
    return found


class Rules:
    """Makes random rules that the language allows."""

    def __init__(self, chance, now, zone, segments):
        self.chance, self.now, self.zone, self.segments = chance, now, zone, segments

    def group(self, depth):
        rules = [
            self.group(depth - 1) if depth and self.chance.random() < 0.35 else self.leaf()
            for _ in range(self.chance.randint(1, 3))
        ]
        return {
            "combinator": self.chance.choice(["AND", "OR"]),
            "negate": self.chance.random() < 0.4,
            "rules": rules,
        }

    def leaf(self):
        kinds = [self.text, self.number, self.choice, self.flag, self.moment, self.date,
                 self.tags, self.segment, self.activity, self.null]  # fmt: skip
        return self.chance.choice(kinds)()

    def rule(self, fields, operators, value):
        field, operator = self.chance.choice(fields), self.chance.choice(operators)
        return {"field": field, "operator": operator, "value": value(operator)}

    def text(self):
        single = ["equals", "notEquals", "contains", "notContains", "startsWith", "endsWith"]
        return self.rule(
            ["firstName", "city", "externalIds.golfRsaId"],
            [*single, "in", "notIn"],
            lambda op: (
                self.chance.choice([*TEXT_VALUES, "7"])
                if op in single
                else self.chance.sample(TEXT_VALUES, 3)
            ),
        )

    def number(self):
        def value(operator):
            pool = [0, 12.5, 46, 50, -1.5, 1e30, 36]
            if operator == "between":
                return sorted(self.chance.sample(pool, 2))
            many = operator in ("in", "notIn")
            return self.chance.sample(pool, 2) if many else self.chance.choice(pool)

        operators = ["equals", "notEquals", "greaterThan", "greaterThanOrEqual", "lessThan",
                     "lessThanOrEqual", "between", "in", "notIn"]  # fmt: skip
        return self.rule(["handicap", "engagementScore", "age"], operators, value)

    def choice(self):
        return self.rule(["lifecycleStage"], ["in", "notIn"], lambda op: ["MEMBER", "ADVOCATE"])

    def flag(self):
        return {"field": "emailOptIn", "operator": self.chance.choice(["isTrue", "isFalse"])}

    def null(self):
        names = ["city", "handicap", "lastBookingAt", "dateOfBirth", "externalIds.golfRsaId"]
        operator = self.chance.choice(["isNull", "isNotNull"])
        return {"field": self.chance.choice(names), "operator": operator}

    def span(self, units):
        return {"amount": self.chance.choice([1, 2, 13]), "unit": self.chance.choice(units)}

    def day(self):
        local = self.now.astimezone(self.zone).date()
        return (local + timedelta(days=self.chance.choice([-31, -1, 0, 1]))).isoformat()

    def moment(self):
        def value(operator):
            if operator.startswith(("within", "notWithin")):
                return self.span(UNITS)
            if operator == "between":
                return sorted([self.day(), self.day()])
            is_day = operator == "on" or self.chance.random() < 0.5
            return self.day() if is_day else self.now.isoformat()

        operators = ["before", "after", "on", "between", "withinLast", "notWithinLast",
                     "withinNext", "notWithinNext"]  # fmt: skip
        return self.rule(sorted(MOMENTS - {"lastEmailOpenAt"}), operators, value)

    def date(self):
        def value(operator):
            if operator.startswith("anniversary"):
                return {"amount": self.chance.choice([1, 7, 365, 400]), "unit": "days"}
            if operator.startswith(("within", "notWithin")):
                return self.span(UNITS[2:])
            return sorted([self.day(), self.day()]) if operator == "between" else self.day()

        operators = ["before", "after", "on", "between", "withinLast", "notWithinLast",
                     "withinNext", "notWithinNext", "anniversaryWithinNext",
                     "anniversaryWithinLast"]  # fmt: skip
        return self.rule(sorted(DATES - {"memberSince"}), operators, value)

    def tags(self):
        if self.chance.random() < 0.2:
            return {"field": "tags", "operator": self.chance.choice(["isEmpty", "isNotEmpty"])}
        operators = ["hasAny", "hasAll", "hasNone"]
        return self.rule(["tags"], operators, lambda op: self.chance.sample(TAGS, 2))

    def segment(self):
        return self.rule(
            ["segment"], ["in", "notIn"], lambda op: [self.chance.choice(self.segments)]
        )

    def activity(self):
        filters = self.chance.choice([
            {"type": "TEETIME_BOOKED"}, {"category": "GOLF"}, {"metadata": {"holes": 18}},
            {"type": "PAYMENT", "metadata": {"course.id": "7"}}, {"metadata": {"paid": 1}},
        ])  # fmt: skip
        rule = {
            "activity": filters,
            "operator": self.chance.choice(["countAtLeast", "countAtMost", "countExactly"]),
            "value": self.chance.choice([0, 1, 2]),
        }
        within = {"within": self.span(UNITS[1:5])} if self.chance.random() < 0.6 else {}
        return rule | within


def some_segments(chance, customers):
    segments, members = [], {}
    for name in ("One", "Two"):
        segment = CustomerSegment.objects.create(name=name, type="STATIC")
        segments.append(str(segment.pk))
        for customer in chance.sample(customers, 12):
            CustomerSegmentMembership.objects.create(segment=segment, customer=customer)
            members.setdefault(customer.pk, set()).add(str(segment.pk))
    return segments, members


@pytest.mark.parametrize(("now", "zone"), INSTANTS)
def test_random_rules_agree_with_plain_python(tenant, now, zone):
    chance = random.Random(f"{now}{zone}")
    now = datetime.fromisoformat(now).astimezone(UTC)
    customers = some_customers(chance, now)
    segments, members = some_segments(chance, customers)
    activities = some_activities(chance, customers, now)
    oracle = Evaluator(now, ZoneInfo(zone), activities, members)
    make = Rules(chance, now, ZoneInfo(zone), segments)

    for _ in range(120):
        group = make.group(3)
        expected = {c.pk for c in customers if oracle.matches(c, [group])}

        assert matching([group], asked=clock(now, zone)) == expected, group
