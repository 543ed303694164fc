"""A table: stored rule, customers with and without values, who matches."""

from datetime import UTC, date, datetime

import pytest

from campaigns.models import Campaign, CampaignInteraction
from crm_site.tenancy.context import local_settings, tenant_scope
from customers.models import Activity
from tests.factories import make_customer
from tests.segments.asking import clock, matching


def rule(field, operator, *value):
    return {"field": field, "operator": operator} | ({"value": value[0]} if value else {})


def last(amount, unit):
    return {"amount": amount, "unit": unit}


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def when(operator, *value):
    return rule("lastBookingAt", operator, *value)


def born(operator, *value):
    return rule("dateOfBirth", operator, *value)


# Cities by the names used below; None and blanks are no value.
CITIES = {"durban": "Durban", "loud": "DURBAN", "accent": "Bélabo", "odd": r"50%_a\b",
          "none": None, "blank": "", "space": " \t\u00a0"}  # fmt: skip
EVERY_CITY = set(CITIES)
NO_CITY = {"none", "blank", "space"}

TEXT_CASES = [
    (rule("city", "equals", "durban"), {"durban", "loud"}),
    (rule("city", "equals", "Durba"), set()),
    (rule("city", "notEquals", "durban"), {"accent", "odd"} | NO_CITY),
    (rule("city", "equals", "BÉLABO"), {"accent"}),
    (rule("city", "equals", "belabo"), set()),
    (rule("city", "contains", "URB"), {"durban", "loud"}),
    (rule("city", "contains", "É"), {"accent"}),
    (rule("city", "contains", "%"), {"odd"}),
    (rule("city", "contains", "_"), {"odd"}),
    (rule("city", "contains", "\\"), {"odd"}),
    (rule("city", "contains", "%a"), set()),
    (rule("city", "contains", " "), set()),
    (rule("city", "notContains", "urb"), {"accent", "odd"} | NO_CITY),
    (rule("city", "notContains", " "), EVERY_CITY),
    (rule("city", "startsWith", "dur"), {"durban", "loud"}),
    (rule("city", "startsWith", "50%_"), {"odd"}),
    (rule("city", "startsWith", "%"), set()),
    (rule("city", "endsWith", "BAN"), {"durban", "loud"}),
    (rule("city", "endsWith", "\\B"), {"odd"}),
    (rule("city", "endsWith", "a very long ending of nothing"), set()),
    (rule("city", "in", ["bélabo", "DURBAN"]), {"durban", "loud", "accent"}),
    (rule("city", "in", [" "]), set()),
    (rule("city", "notIn", ["durban"]), {"accent", "odd"} | NO_CITY),
    (rule("city", "isNull"), NO_CITY),
    (rule("city", "isNotNull"), EVERY_CITY - NO_CITY),
]

# Handicaps.
NUMBERS = {"plus": "-1.5", "zero": "0.0", "mid": "12.5", "high": "36.0", "none": None}
NUMBER_CASES = [
    (rule("handicap", "equals", 12.5), {"mid"}),
    (rule("handicap", "equals", 0), {"zero"}),
    (rule("handicap", "notEquals", 0), {"plus", "mid", "high", "none"}),
    (rule("handicap", "greaterThan", 12.5), {"high"}),
    (rule("handicap", "greaterThanOrEqual", 12.5), {"mid", "high"}),
    (rule("handicap", "lessThan", 0), {"plus"}),
    (rule("handicap", "lessThanOrEqual", 0), {"plus", "zero"}),
    (rule("handicap", "lessThan", 1e300), {"plus", "zero", "mid", "high"}),
    (rule("handicap", "greaterThan", 10**40), set()),
    (rule("handicap", "between", [0, 12.5]), {"zero", "mid"}),
    (rule("handicap", "between", [12.5, 12.5]), {"mid"}),
    (rule("handicap", "in", [0, 36]), {"zero", "high"}),
    (rule("handicap", "notIn", [0, 36]), {"plus", "mid", "none"}),
    (rule("handicap", "isNull"), {"none"}),
    (rule("handicap", "isNotNull"), {"plus", "zero", "mid", "high"}),
]

TAGS = {"vip": ["vip"], "both": ["vip", "junior"], "case": ["VIP"], "none": []}
TAG_CASES = [
    (rule("tags", "hasAny", ["vip", "staff"]), {"vip", "both"}),
    (rule("tags", "hasAll", ["vip", "junior"]), {"both"}),
    (rule("tags", "hasAll", ["junior", "vip", "vip"]), {"both"}),
    (rule("tags", "hasNone", ["vip"]), {"case", "none"}),
    (rule("tags", "isEmpty"), {"none"}),
    (rule("tags", "isNotEmpty"), {"vip", "both", "case"}),
    (rule("tags", "isNull"), set()),
    (rule("tags", "isNotNull"), {"vip", "both", "case", "none"}),
]

STAGES = {"member": "MEMBER", "lead": "LEAD", "gone": "CHURNED"}
STAGE_CASES = [
    (rule("lifecycleStage", "equals", "MEMBER"), {"member"}),
    (rule("lifecycleStage", "notEquals", "MEMBER"), {"lead", "gone"}),
    (rule("lifecycleStage", "in", ["MEMBER", "LEAD"]), {"member", "lead"}),
    (rule("lifecycleStage", "notIn", ["MEMBER", "LEAD"]), {"gone"}),
    (rule("lifecycleStage", "isNull"), set()),
    (rule("status", "equals", "ACTIVE"), {"member", "lead", "gone"}),
    (rule("id", "isNotNull"), {"member", "lead", "gone"}),
    (rule("id", "isNull"), set()),
    (rule("id", "equals", "no id at all"), set()),
    (rule("id", "notEquals", "no id at all"), {"member", "lead", "gone"}),
    (rule("id", "contains", "-7"), {"member", "lead", "gone"}),
]

LINKS = {"text": {"golfRsaId": "2710045"}, "number": {"golfRsaId": 2710045},
         "dotted": {"mca.v1": "A-7"}, "index": {"0": "first"}, "empty": {}, "null": None,
         "blank": {"golfRsaId": " "}}  # fmt: skip
LINK_CASES = [
    (rule("externalIds.golfRsaId", "equals", "2710045"), {"text", "number"}),
    (rule("externalIds.golfRsaId", "startsWith", "271"), {"text", "number"}),
    (rule("externalIds.golfRsaId", "isNull"), {"dotted", "index", "empty", "null", "blank"}),
    (rule("externalIds.golfRsaId", "notEquals", "1"), set(LINKS)),
    (rule("externalIds.mca.v1", "equals", "a-7"), {"dotted"}),
    (rule("externalIds.0", "equals", "first"), {"index"}),
    (rule("externalIds", "isNull"), {"null"}),
    (rule("externalIds", "isNotNull"), set(LINKS) - {"null"}),
]

FLAGS = {"yes": True, "no": False}
FLAG_CASES = [
    (rule("emailOptIn", "isTrue"), {"yes"}),
    (rule("emailOptIn", "isFalse"), {"no"}),
    (rule("emailOptIn", "isNull"), set()),
]


@pytest.mark.parametrize(
    ("column", "values", "asked", "expected"),
    [
        *(("city", CITIES, *case) for case in TEXT_CASES),
        *(("handicap", NUMBERS, *case) for case in NUMBER_CASES),
        *(("tags", TAGS, *case) for case in TAG_CASES),
        *(("lifecycle_stage", STAGES, *case) for case in STAGE_CASES),
        *(("external_ids", LINKS, *case) for case in LINK_CASES),
        *(("email_opt_in", FLAGS, *case) for case in FLAG_CASES),
    ],
)
def test_who_matches(tenant, column, values, asked, expected):
    with local_settings(consent_writer="messaging"):
        ids = {make_customer(**{column: value}).pk: name for name, value in values.items()}

    assert {ids[pk] for pk in matching([asked])} == expected
    # Negated, exactly the others match, those without a value included.
    negated = {"combinator": "OR", "negate": True, "rules": [asked]}
    assert {ids[pk] for pk in matching([negated])} == set(values) - expected


JUNE = "2026-06-15T10:00"  # In UTC, as every time below without an offset.
JOBURG, LONDON, NEW_YORK = "Africa/Johannesburg", "Europe/London", "America/New_York"

# (now, zone, rule on lastBookingAt, moment it happened, whether it matches)
MOMENT_CASES = [
    # Exactly so many seconds back, both ends included, not past now.
    (JUNE, JOBURG, when("withinLast", last(6, "weeks")), "2026-05-04T10:00", True),
    (JUNE, JOBURG, when("withinLast", last(6, "weeks")), "2026-05-04T09:59:59", False),
    (JUNE, JOBURG, when("withinLast", last(6, "weeks")), "2026-06-15T10:00", True),
    (JUNE, JOBURG, when("withinLast", last(6, "weeks")), "2026-06-15T10:00:01", False),
    (JUNE, JOBURG, when("notWithinLast", last(6, "weeks")), "2026-06-16T10:00", True),
    (JUNE, JOBURG, when("notWithinLast", last(6, "weeks")), "2026-06-01T10:00", False),
    (JUNE, JOBURG, when("notWithinLast", last(6, "weeks")), None, True),
    (JUNE, JOBURG, when("withinLast", last(6, "weeks")), None, False),
    (JUNE, JOBURG, when("withinLast", last(90, "minutes")), "2026-06-15T08:30", True),
    (JUNE, JOBURG, when("withinLast", last(2, "hours")), "2026-06-15T07:59", False),
    (JUNE, JOBURG, when("withinNext", last(1, "days")), "2026-06-16T10:00", True),
    (JUNE, JOBURG, when("withinNext", last(1, "days")), "2026-06-16T10:00:01", False),
    (JUNE, JOBURG, when("withinNext", last(1, "days")), "2026-06-15T09:59", False),
    (JUNE, JOBURG, when("notWithinNext", last(1, "days")), None, True),
    (JUNE, JOBURG, when("withinLast", last(9_999, "years")), "1999-01-01T00:00", True),
    (JUNE, JOBURG, when("withinNext", last(10**9, "weeks")), "2999-01-01T00:00", True),
    # A day is 24 hours even when the clocks change.
    ("2026-03-29T12:00", LONDON, when("withinLast", last(1, "days")), "2026-03-28T12:00", True),
    ("2026-03-29T12:00", LONDON, when("withinLast", last(1, "days")), "2026-03-28T11:30", False),
    # Months step on the calendar and keep the wall clock: 13:00 BST back to 13:00 GMT.
    ("2026-04-28T12:00", LONDON, when("withinLast", last(1, "months")), "2026-03-28T13:00", True),
    ("2026-04-28T12:00", LONDON, when("withinLast", last(1, "months")), "2026-03-28T12:59", False),
    # … and stop at the end of the month.
    ("2026-03-31T10:00", JOBURG, when("withinLast", last(1, "months")), "2026-02-28T10:00", True),
    ("2026-03-31T10:00", JOBURG, when("withinLast", last(1, "months")), "2026-02-28T09:59", False),
    ("2024-03-31T10:00", JOBURG, when("withinLast", last(1, "months")), "2024-02-29T10:00", True),
    ("2024-02-29T10:00", JOBURG, when("withinLast", last(1, "years")), "2023-02-28T10:00", True),
    ("2024-02-29T10:00", JOBURG, when("withinLast", last(4, "years")), "2020-02-29T09:59", False),
    # 01:30 is skipped in London on 29 March: read by the offset before, so 01:30 UTC.
    ("2026-04-29T00:30", LONDON, when("withinLast", last(1, "months")), "2026-03-29T01:30", True),
    ("2026-04-29T00:30", LONDON, when("withinLast", last(1, "months")), "2026-03-29T01:29", False),
    # 01:30 comes twice on 25 October: read by the offset after, so 01:30 UTC.
    ("2026-11-25T01:30", LONDON, when("withinLast", last(1, "months")), "2026-10-25T01:30", True),
    ("2026-11-25T01:30", LONDON, when("withinLast", last(1, "months")), "2026-10-25T00:30", False),
    # Calendar days are the tenant's: midnight in Johannesburg is 22:00 UTC.
    (JUNE, JOBURG, when("on", "2026-03-31"), "2026-03-30T22:00", True),
    (JUNE, JOBURG, when("on", "2026-03-31"), "2026-03-30T21:59:59", False),
    (JUNE, JOBURG, when("on", "2026-03-31"), "2026-03-31T21:59:59", True),
    (JUNE, JOBURG, when("on", "2026-03-31"), "2026-03-31T22:00", False),
    (JUNE, NEW_YORK, when("on", "2026-03-31"), "2026-03-31T03:59", False),
    (JUNE, NEW_YORK, when("on", "2026-03-31"), "2026-03-31T04:00", True),
    (JUNE, JOBURG, when("on", "2024-02-29"), "2024-02-29T12:00", True),
    (JUNE, JOBURG, when("on", "2026-03-31"), None, False),
    # The short and the long day of New York's clock changes.
    (JUNE, NEW_YORK, when("on", "2026-03-08"), "2026-03-09T03:59", True),
    (JUNE, NEW_YORK, when("on", "2026-03-08"), "2026-03-09T04:00", False),
    (JUNE, NEW_YORK, when("on", "2026-11-01"), "2026-11-02T04:59", True),
    (JUNE, JOBURG, when("before", "2026-03-31"), "2026-03-30T21:59", True),
    (JUNE, JOBURG, when("before", "2026-03-31"), "2026-03-30T22:00", False),
    (JUNE, JOBURG, when("after", "2026-03-31"), "2026-03-31T21:59", False),
    (JUNE, JOBURG, when("after", "2026-03-31"), "2026-03-31T22:00", True),
    (JUNE, JOBURG, when("before", "2026-03-31T14:00:00+02:00"), "2026-03-31T11:59", True),
    (JUNE, JOBURG, when("before", "2026-03-31T14:00:00+02:00"), "2026-03-31T12:00", False),
    (JUNE, JOBURG, when("after", "2026-03-31T12:00:00Z"), "2026-03-31T12:00", False),
    (JUNE, JOBURG, when("after", "2026-03-31T12:00:00Z"), "2026-03-31T12:00:01", True),
    (JUNE, JOBURG, when("after", "2026-03-31"), None, False),
    (JUNE, JOBURG, when("between", ["2026-03-30", "2026-03-31"]), "2026-03-29T22:00", True),
    (JUNE, JOBURG, when("between", ["2026-03-30", "2026-03-31"]), "2026-03-31T22:00", False),
    (JUNE, JOBURG, when("between", ["2026-03-31", "2026-03-31"]), "2026-03-31T12:00", True),
    (JUNE, JOBURG, when("between", ["2026-03-31T12:00:00Z", "2026-03-31T13:00:00Z"]),
     "2026-03-31T13:00", True),
    (JUNE, JOBURG, when("between", ["2026-03-31T12:00:00Z", "2026-03-31T13:00:00Z"]),
     "2026-03-31T13:00:01", False),
    (JUNE, JOBURG, when("isNull"), None, True),
    (JUNE, JOBURG, when("isNotNull"), "2026-03-31T12:00", True),
]  # fmt: skip


@pytest.mark.parametrize(("now", "zone", "asked", "happened", "expected"), MOMENT_CASES)
def test_when_it_happened(tenant, now, zone, asked, happened, expected):
    make_customer(last_booking_at=utc(happened) if happened else None)

    assert bool(matching([asked], asked=clock(utc(now), zone))) is expected


# (now in UTC, zone, rule on dateOfBirth, the day, whether it matches)
DATE_CASES = [
    (JUNE, JOBURG, born("on", "1980-02-29"), "1980-02-29", True),
    (JUNE, JOBURG, born("before", "1980-03-01"), "1980-02-29", True),
    (JUNE, JOBURG, born("before", "1980-02-29"), "1980-02-29", False),
    (JUNE, JOBURG, born("after", "1980-02-28"), "1980-02-29", True),
    (JUNE, JOBURG, born("between", ["1980-01-01", "1980-12-31"]), "1980-12-31", True),
    (JUNE, JOBURG, born("withinLast", last(1, "days")), "2026-06-14", True),
    (JUNE, JOBURG, born("withinLast", last(1, "days")), "2026-06-13", False),
    (JUNE, JOBURG, born("withinLast", last(1, "days")), "2026-06-16", False),
    (JUNE, JOBURG, born("withinNext", last(2, "weeks")), "2026-06-29", True),
    (JUNE, JOBURG, born("withinNext", last(2, "weeks")), "2026-06-30", False),
    (JUNE, JOBURG, born("notWithinNext", last(2, "weeks")), None, True),
    ("2026-03-31T10:00", JOBURG, born("withinLast", last(1, "months")), "2026-02-28", True),
    ("2026-03-31T10:00", JOBURG, born("withinLast", last(1, "months")), "2026-02-27", False),
    ("2024-02-29T10:00", JOBURG, born("withinNext", last(1, "years")), "2025-02-28", True),
    ("2024-02-29T10:00", JOBURG, born("withinNext", last(1, "years")), "2025-03-01", False),
    # Today is the tenant's: 23:00 UTC on the 14th is the 15th in Johannesburg.
    ("2026-06-14T23:00", JOBURG, born("withinLast", last(1, "days")), "2026-06-15", True),
    ("2026-06-14T23:00", NEW_YORK, born("withinLast", last(1, "days")), "2026-06-15", False),
    # Anniversaries: both ends and today; not the first day itself, not of days to come.
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "1980-06-15",
        True,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "1980-06-22",
        True,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "1980-06-23",
        False,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "1980-06-14",
        False,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "2026-06-15",
        False,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(400, "days")),
        "2026-06-15",
        True,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(400, "days")),
        "2026-06-16",
        False,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(364, "days")),
        "2026-06-15",
        False,
    ),
    (JUNE, JOBURG, born("anniversaryWithinNext", last(7, "days")), None, False),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(7, "days")),
        "1980-06-15",
        True,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(7, "days")),
        "1980-06-08",
        True,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(7, "days")),
        "1980-06-07",
        False,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(7, "days")),
        "2026-06-10",
        False,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(999, "days")),
        "2025-06-15",
        True,
    ),
    (
        "2026-06-15T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(999, "days")),
        "2025-06-16",
        False,
    ),
    # Over the turn of the year.
    (
        "2026-12-29T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "1980-01-05",
        True,
    ),
    (
        "2026-12-29T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(7, "days")),
        "1980-01-06",
        False,
    ),
    (
        "2026-01-03T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(7, "days")),
        "1980-12-27",
        True,
    ),
    (
        "2026-01-03T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(7, "days")),
        "2025-12-28",
        False,
    ),
    # 29 February falls on the 28th in other years.
    (
        "2026-02-27T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(1, "days")),
        "1980-02-29",
        True,
    ),
    (
        "2026-03-01T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(1, "days")),
        "1980-02-29",
        False,
    ),
    (
        "2028-02-28T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(1, "days")),
        "1980-02-29",
        True,
    ),
    (
        "2028-02-27T10:00",
        JOBURG,
        born("anniversaryWithinNext", last(1, "days")),
        "1980-02-29",
        False,
    ),
    (
        "2026-03-02T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(1, "days")),
        "1980-02-29",
        False,
    ),
    (
        "2026-03-01T10:00",
        JOBURG,
        born("anniversaryWithinLast", last(1, "days")),
        "1980-02-29",
        True,
    ),
    # Age grows on the anniversary.
    (JUNE, JOBURG, rule("age", "equals", 46), "1980-06-15", True),
    (JUNE, JOBURG, rule("age", "equals", 45), "1980-06-16", True),
    ("2026-06-14T23:00", JOBURG, rule("age", "equals", 46), "1980-06-15", True),
    ("2026-06-14T23:00", NEW_YORK, rule("age", "equals", 45), "1980-06-15", True),
    ("2026-02-28T10:00", JOBURG, rule("age", "equals", 46), "1980-02-29", True),
    ("2028-02-28T10:00", JOBURG, rule("age", "equals", 47), "1980-02-29", True),
    ("2028-02-29T10:00", JOBURG, rule("age", "equals", 48), "1980-02-29", True),
    (JUNE, JOBURG, rule("age", "between", [18, 46]), "1980-06-15", True),
    (JUNE, JOBURG, rule("age", "lessThan", 18), None, False),
    (JUNE, JOBURG, rule("age", "notEquals", 18), None, True),
    (JUNE, JOBURG, rule("age", "isNull"), None, True),
]


@pytest.mark.parametrize(("now", "zone", "asked", "day", "expected"), DATE_CASES)
def test_which_day_it_was(tenant, now, zone, asked, day, expected):
    make_customer(date_of_birth=date.fromisoformat(day) if day else None)

    assert bool(matching([asked], asked=clock(utc(now), zone))) is expected


def booked(operator, value, within=None, **filters):
    asked = {
        "activity": filters or {"type": "TEETIME_BOOKED"},
        "operator": operator,
        "value": value,
    }
    return asked | ({"within": within} if within else {})


DAYS = last(2, "days")
COUNT_CASES = [
    (booked("countAtLeast", 0), {"none", "one", "two", "old"}),
    (booked("countAtLeast", 1), {"one", "two", "old"}),
    (booked("countAtLeast", 2), {"two"}),
    (booked("countAtMost", 0), {"none"}),
    (booked("countAtMost", 1), {"none", "one", "old"}),
    (booked("countExactly", 0), {"none"}),
    (booked("countExactly", 1), {"one", "old"}),
    (booked("countExactly", 2), {"two"}),
    (booked("countAtLeast", 1, DAYS), {"one", "two"}),
    (booked("countAtLeast", 2, DAYS), {"two"}),
    (booked("countAtMost", 0, DAYS), {"none", "old"}),
    (booked("countAtLeast", 1, category="BOOKING"), {"one", "two", "old"}),
    (booked("countAtLeast", 1, type="teetime_booked"), set()),
    (booked("countAtLeast", 1, sourceService="teetime", channel="WEB"), {"two"}),
    (booked("countAtLeast", 1, metadata={"holes": 18}), {"one", "two"}),
    (booked("countAtLeast", 1, metadata={"holes": "18"}), {"old"}),
    (booked("countAtLeast", 1, metadata={"course.id": 7}), {"two"}),
    (booked("countAtLeast", 1, metadata={"course.id": 7, "holes": 18}), {"two"}),
    (booked("countAtLeast", 1, metadata={"players.0": "a"}), set()),
    (booked("countAtLeast", 1, metadata={"guest": None}), {"one"}),
    (booked("countAtLeast", 1, metadata={"guest": False}), set()),
    (booked("countAtLeast", 1, metadata={"paid": True}), {"old"}),
]


@pytest.mark.parametrize(("asked", "expected"), COUNT_CASES)
def test_how_often(tenant, asked, expected):
    def book(customer, when, metadata, channel=None):
        Activity.objects.create(
            customer=customer, type="TEETIME_BOOKED", category="BOOKING", title="Booked",
            source_service="teetime", channel=channel, metadata=metadata, occurred_at=utc(when),
        )  # fmt: skip

    people = {name: make_customer() for name in ("none", "one", "two", "old")}
    book(people["one"], "2026-06-13T10:00", {"holes": 18, "guest": None})
    book(people["two"], "2026-06-14T10:00", {"holes": 18, "course": {"id": 7}}, "WEB")
    book(people["two"], "2026-06-15T10:00", {"players": ["a"]})
    book(people["old"], "2026-06-13T09:59", {"holes": "18", "paid": True})
    names = {customer.pk: name for name, customer in people.items()}

    assert {names[pk] for pk in matching([asked])} == expected
    only = tuple(pk for pk, name in names.items() if name in ("two", "none"))
    restricted = {names[pk] for pk in matching([asked], customer_ids=only) if pk in only}
    assert restricted == expected & {"two", "none"}


def test_an_id_is_asked_for_by_its_text(tenant):
    ann, ben = make_customer(), make_customer()

    assert matching([rule("id", "equals", str(ann.pk).upper())]) == {ann.pk}
    assert matching([rule("id", "in", [str(ann.pk), "x"])]) == {ann.pk}
    assert matching([rule("id", "notIn", [str(ann.pk)])]) == {ben.pk}
    assert matching([rule("id", "endsWith", str(ben.pk)[-12:])]) == {ben.pk}


def test_nobody_who_is_merged_or_deleted_matches(tenant):
    now = utc("2026-06-15T10:00")
    ann = make_customer()
    make_customer(deleted_at=now)
    make_customer(merged_at=now, merged_into=ann, status="MERGED")

    assert matching([rule("id", "isNotNull")]) == {ann.pk}


def test_the_other_club_is_never_found(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        make_customer(city="Durban")

    assert matching([rule("city", "equals", "Durban")]) == set()


def test_a_long_list_is_one_query(tenant, django_assert_num_queries):
    ann = make_customer(city="Town 999")
    asked = rule("city", "in", [f"town {number}" for number in range(1000)])

    with django_assert_num_queries(1):
        assert matching([asked]) == {ann.pk}


def responded(operator, value, within=None, **filters):
    asked = {"interaction": filters, "operator": operator, "value": value}
    return asked | ({"within": within} if within else {})


def test_how_often_somebody_responded_to_campaigns(tenant, actor):
    mine, other = (Campaign.objects.create(name=name, created_by="user:x") for name in "AB")
    opened, old, silent = make_customer(), make_customer(), make_customer()
    for customer, campaign, when in (
        (opened, mine, "2026-06-15T09:00"),
        (opened, other, "2026-06-15T09:30"),
        (old, mine, "2026-05-01T09:00"),
    ):
        CampaignInteraction.objects.create(
            campaign=campaign, customer=customer, channel="EMAIL", type="OPENED",
            occurred_at=utc(when),
        )  # fmt: skip

    assert matching([responded("countAtLeast", 1, type="OPENED")]) == {opened.pk, old.pk}
    assert matching([responded("countAtLeast", 2, type="OPENED")]) == {opened.pk}
    assert matching([responded("countAtLeast", 1, channel="SMS")]) == set()
    assert matching([responded("countAtMost", 0, DAYS, type="OPENED")]) == {old.pk, silent.pk}
    assert matching([responded("countExactly", 1, campaignId=str(mine.pk))]) == {opened.pk, old.pk}
    assert matching([responded("countAtMost", 0, campaignId=str(other.pk))]) == {old.pk, silent.pk}
