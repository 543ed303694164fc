"""The rule language once more, in plain Python over raw JSON: a second opinion for the tests.

It shares no code with ``segments.rules``: wall-clock steps are done by hand, and the answer is
worked out one customer at a time.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
NEGATIONS = {
    "isNotNull": "isNull",
    "notEquals": "equals",
    "notContains": "contains",
    "notIn": "in",
    "notWithinLast": "withinLast",
    "notWithinNext": "withinNext",
    "hasNone": "hasAny",
    "isNotEmpty": "isEmpty",
}
NUMBERS = {"age", "handicap", "engagementScore", "lifetimeValue", "sclMemberId", "bookingCount30d"}
DATES = {"dateOfBirth", "memberSince", "membershipExpiry"}
MOMENTS = {"lastBookingAt", "createdAt", "lastEmailOpenAt"}


class Evaluator:
    """Who matches, at ``now`` in ``zone``. ``activities`` and ``segments`` are by customer id."""

    def __init__(self, now, zone, activities=None, segments=None):
        self.now, self.zone = now, zone
        self.today = now.astimezone(zone).date()
        self.activities, self.segments = activities or {}, segments or {}

    def matches(self, customer, rules, combinator="AND"):
        answers = [self.answer(customer, rule) for rule in rules]
        return all(answers) if combinator == "AND" else any(answers)

    def answer(self, customer, rule):
        if "rules" in rule:
            found = self.matches(customer, rule["rules"], rule["combinator"])
            return not found if rule.get("negate") else found
        if "activity" in rule:
            return self.counts(customer, rule)
        operator, name = rule["operator"], rule["field"]
        if operator in NEGATIONS:
            return not self.compare(customer, name, NEGATIONS[operator], rule.get("value"))
        return self.compare(customer, name, operator, rule.get("value"))

    def counts(self, customer, rule):
        seen = 0
        for row in self.activities.get(customer.pk, ()):
            wanted = rule["activity"]
            if any(row.get(key) != wanted[key] for key in wanted if key != "metadata"):
                continue
            if not all(holds(row["metadata"], k, v) for k, v in wanted.get("metadata", {}).items()):
                continue
            if rule.get("within"):
                start = self.step(rule["within"], -1)
                if not start <= row["occurredAt"] <= self.now:
                    continue
            seen += 1
        return {
            "countAtLeast": seen >= rule["value"],
            "countAtMost": seen <= rule["value"],
            "countExactly": seen == rule["value"],
        }[rule["operator"]]

    def value(self, customer, name):
        if name == "age":
            return self.age(customer.date_of_birth)
        if name.startswith("externalIds."):
            found = (customer.external_ids or {}).get(name.split(".", 1)[1])
            return str(found) if found is not None else None
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).replace("30d", "_30d")
        return getattr(customer, snake)

    def age(self, born):
        if born is None:
            return None
        return self.today.year - born.year - (self.today < anniversary(born, self.today.year))

    def compare(self, customer, name, operator, wanted):
        if name == "segment":
            return bool(set(wanted) & self.segments.get(customer.pk, set()))
        value = self.value(customer, name)
        if isinstance(value, str) and not value.strip():
            value = None
        if operator == "isNull":
            return value is None
        if operator == "isEmpty":
            return not value
        if value is None:
            return False
        if name in DATES:
            return self.dates(value, operator, wanted)
        if name in MOMENTS:
            return self.moments(value, operator, wanted)
        if name in NUMBERS:
            return numbers(Decimal(str(value)), operator, wanted)
        if name == "tags":
            shared = set(value) & set(wanted)
            return bool(shared) if operator == "hasAny" else shared == set(wanted)
        if operator in ("isTrue", "isFalse"):
            return value is (operator == "isTrue")
        return texts(str(value).casefold(), operator, wanted)

    def dates(self, value, operator, wanted):
        match operator:
            case "before" | "after" | "on":
                day = date.fromisoformat(wanted)
                return {"before": value < day, "after": value > day, "on": value == day}[operator]
            case "between":
                return date.fromisoformat(wanted[0]) <= value <= date.fromisoformat(wanted[1])
            case "withinLast":
                return self.day_step(wanted, -1) <= value <= self.today
            case "withinNext":
                return self.today <= value <= self.day_step(wanted, 1)
        direction = 1 if operator == "anniversaryWithinNext" else -1
        window = (self.today + timedelta(days=direction * n) for n in range(wanted["amount"] + 1))
        if value > self.today:
            return False
        return any(day.year > value.year and anniversary(value, day.year) == day for day in window)

    def moments(self, value, operator, wanted):
        local = value.astimezone(self.zone).date()
        match operator:
            case "withinLast":
                return self.step(wanted, -1) <= value <= self.now
            case "withinNext":
                return self.now <= value <= self.step(wanted, 1)
            case "between" if len(wanted[0]) > 10:
                low, high = map(datetime.fromisoformat, wanted)
                return low <= value <= high
            case "between":
                return date.fromisoformat(wanted[0]) <= local <= date.fromisoformat(wanted[1])
        if len(wanted) > 10:
            limit = datetime.fromisoformat(wanted)
            return value < limit if operator == "before" else value > limit
        day = date.fromisoformat(wanted)
        return {"before": local < day, "after": local > day, "on": local == day}[operator]

    def step(self, span, direction):
        if span["unit"] in SECONDS:
            return self.now + direction * timedelta(seconds=span["amount"] * SECONDS[span["unit"]])
        local = self.now.astimezone(self.zone).replace(tzinfo=None)
        moved = datetime.combine(self.day_step(span, direction), local.time())
        # PostgreSQL's reading: whichever offset is the smaller gives the later moment.
        return max(moved.replace(tzinfo=self.zone, fold=f).astimezone(UTC) for f in (0, 1))

    def day_step(self, span, direction):
        if span["unit"] in SECONDS:
            days = span["amount"] * SECONDS[span["unit"]] // 86_400
            return self.today + direction * timedelta(days=days)
        months = span["amount"] * (12 if span["unit"] == "years" else 1) * direction
        year, month = self.today.year, self.today.month + months
        while month < 1:
            year, month = year - 1, month + 12
        while month > 12:
            year, month = year + 1, month - 12
        return date(year, month, min(self.today.day, calendar.monthrange(year, month)[1]))


def holds(metadata, path, wanted):
    found = metadata
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def anniversary(born, year):
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return born.replace(year=year)


def numbers(value, operator, wanted):
    if operator == "between":
        low, high = (Decimal(str(end)) for end in wanted)
        return low <= value <= high
    if operator == "in":
        return value in [Decimal(str(item)) for item in wanted]
    limit = Decimal(str(wanted))
    return {
        "equals": value == limit,
        "greaterThan": value > limit,
        "greaterThanOrEqual": value >= limit,
        "lessThan": value < limit,
        "lessThanOrEqual": value <= limit,
    }[operator]


def texts(value, operator, wanted):
    if operator == "in":
        return value in [item.casefold() for item in wanted]
    wanted = wanted.casefold()
    return {
        "equals": lambda: value == wanted,
        "contains": lambda: wanted in value,
        "startsWith": lambda: value.startswith(wanted),
        "endsWith": lambda: value.endswith(wanted),
    }[operator]()
