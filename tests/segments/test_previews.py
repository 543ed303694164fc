"""What rules would find, and why somebody is or is not found."""

from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from crm_site.tenancy.context import local_settings, tenant_scope
from segments.models import CustomerSegmentMembership
from segments.rules.describe import Describer
from segments.rules.grammar import MAX_LEAVES, parse
from segments.rules.starters import STARTERS
from segments.services import previews
from segments.services.changes_ahead import changes_ahead
from segments.services.matching import explain
from segments.services.previews import preview
from tests.factories import make_customer, make_segment

CITY = {"field": "city", "operator": "equals", "value": "Durban"}
PLAYS = {"field": "bookingCount90d", "operator": "greaterThan", "value": 2}


def test_counts_in_all_per_rule_and_per_channel(tenant, other_tenant):
    with local_settings(consent_writer="messaging"):
        ann = make_customer(city="Durban", booking_count_90d=3, email_opt_in=True)
        make_customer(city="Durban", booking_count_90d=1, email_opt_in=True, sms_opt_in=True)
        make_customer(
            city="Paarl", booking_count_90d=9, sms_opt_in=True, phone_number="+27825550101"
        )
        with tenant_scope(other_tenant.pk):
            make_customer(city="Durban", booking_count_90d=3)

    found = preview([CITY, PLAYS], "AND", now=timezone.now())

    assert (found.count, found.is_exact, found.sample) == (1, True, [ann])
    assert [(rule.path, rule.count) for rule in found.rules] == [("rules[0]", 2), ("rules[1]", 2)]
    assert found.reachable == {"EMAIL": 1, "SMS": 0, "PUSH": 0, "WHATSAPP": 0}
    either = preview([CITY, PLAYS], "OR", now=timezone.now())
    assert (either.count, either.reachable["SMS"]) == (3, 1)


def test_each_rule_and_group_says_how_many_are_left_after_it(tenant, other_tenant):
    for city, bookings, tags in (
        ("Durban", 3, ["vip"]),
        ("Durban", 3, []),
        ("Durban", 0, []),
        ("Paarl", 9, ["vip"]),
        (None, 0, []),
    ):
        make_customer(city=city, booking_count_90d=bookings, tags=tags)
    with tenant_scope(other_tenant.pk):
        make_customer(city="Durban", booking_count_90d=3)
    vip = rule("tags", "hasAny", ["vip"])
    either = {"combinator": "OR", "rules": [vip, PLAYS]}
    neither = {"combinator": "OR", "negate": True, "rules": [vip, PLAYS]}

    narrowed = preview([CITY, either], "AND", now=timezone.now())
    widened = preview([CITY, neither], "OR", now=timezone.now())

    assert narrowed.total == widened.total == 5
    assert [(step.path, step.depth, step.count, step.kept) for step in narrowed.steps] == [
        ("rules[0]", 1, 3, 3),
        ("rules[1]", 1, 3, 2),
        ("rules[1].rules[0]", 2, 2, 1),
        ("rules[1].rules[1]", 2, 3, 2),
    ]
    assert [(step.path, step.count, step.kept) for step in widened.steps] == [
        ("rules[0]", 3, 3),
        ("rules[1]", 2, 4),
        ("rules[1].rules[0]", 2, 2),
        ("rules[1].rules[1]", 3, 3),
    ]
    assert (narrowed.count, widened.count) == (2, 4)


def test_the_most_rules_there_may_be_are_counted_at_once(tenant):
    make_customer(city="Durban")

    found = preview([CITY] * MAX_LEAVES, "AND", now=timezone.now())

    assert found.is_exact
    assert {(step.count, step.kept) for step in found.steps} == {(1, 1)}


@pytest.mark.parametrize("starter", STARTERS, ids=lambda each: each.name)
def test_what_one_may_start_from_can_be_asked(tenant, starter):
    found = preview(starter.rules["rules"], starter.rules["combinator"], now=timezone.now())

    assert (found.is_exact, found.count) == (True, 0)


def test_saving_other_rules_says_who_would_join_and_leave(tenant, other_tenant):
    here, there = make_customer(city="Durban"), make_customer(city="Paarl")
    both = make_customer(city="Durban", booking_count_90d=3)
    segment = make_segment(criteria=[CITY])
    with tenant_scope(other_tenant.pk):
        make_customer(city="Paarl")
    for member in (here, both):
        CustomerSegmentMembership.objects.create(segment=segment, customer=member)

    paarl = rule("city", "equals", "Paarl")
    ahead = changes_ahead(segment, [paarl, PLAYS], "OR", now=timezone.now())
    same = changes_ahead(segment, [CITY], "AND", now=timezone.now())

    assert (ahead.joining.count, ahead.joining.sample) == (1, [there])
    assert (ahead.leaving.count, ahead.leaving.sample) == (1, [here])
    assert (same.joining.count, same.leaving.count) == (0, 0)


def test_the_inactive_are_counted_in_the_segment_and_reached_by_nothing(tenant):
    with local_settings(consent_writer="messaging"):
        make_customer(city="Durban", email_opt_in=True, status="INACTIVE")

    found = preview([CITY], "AND", now=timezone.now())

    assert (found.count, found.reachable["EMAIL"]) == (1, 0)


def test_a_slow_question_becomes_an_estimate(tenant, monkeypatch):
    monkeypatch.setattr(previews, "LIMIT_SECONDS", 0.05)

    def slow(*args):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")

    monkeypatch.setattr(previews, "_counts", slow)

    found = preview([CITY], "AND", now=timezone.now())

    assert not found.is_exact
    assert found.count >= 0
    assert (found.rules[0].count, found.reachable["EMAIL"], found.sample) == (None, None, [])
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)


def test_why_somebody_is_not_in_it(tenant):
    ann = make_customer(city="Durban", booking_count_90d=1)
    segment = make_segment(
        CITY, PLAYS, {"activity": {"type": "X"}, "operator": "countAtMost", "value": 0}
    )

    why = explain(segment, ann, now=timezone.now())

    assert (why.is_member, why.matches) == (False, False)
    assert [(reason.path, reason.met, reason.value) for reason in why.reasons] == [
        ("rules[0]", True, "Durban"), ("rules[1]", False, 1), ("rules[2]", True, None)]  # fmt: skip
    assert why.reasons[1].sentence == "Bookings in 90 days is more than 2"


def rule(field, operator, *value):
    return {"field": field, "operator": operator} | ({"value": value[0]} if value else {})


WEEKS = {"amount": 6, "unit": "weeks"}
MEMBERS = rule("lifecycleStage", "equals", "MEMBER")


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([rule("id", "isNotNull")], "Everybody."),
        ([MEMBERS], "Members."),
        ([MEMBERS, rule("lastBookingAt", "notWithinLast", WEEKS)],
         "Members whose last booking was more than 6 weeks ago (or never)."),
        ([rule("city", "in", ["Durban", "Paarl"]), rule("emailOptIn", "isTrue")],
         "Customers whose city is “Durban” or “Paarl” and with e-mail consent."),
        ([rule("tags", "hasAll", ["vip", "junior"])], "Customers tagged “vip” and “junior”."),
        ([rule("dateOfBirth", "anniversaryWithinNext", {"amount": 7, "unit": "days"})],
         "Customers whose birthday is in the next 7 days."),
        ([rule("handicap", "between", [0, 12.5])],
         "Customers whose handicap is between 0 and 12.5."),
        ([rule("lifetimeValue", "greaterThan", 500000)],
         "Customers whose lifetime spend is more than 5,000.00."),
        ([rule("lastBookingAt", "after", "2026-03-31T12:00:00Z")],
         "Customers whose last booking was after 31 March 2026 14:00."),
        ([rule("homeClubName", "isNull")], "Customers whose home club is not known."),
        ([{"combinator": "OR", "negate": True, "rules": [CITY, PLAYS]}],
         "Customers who are not among those whose city is “Durban” or whose bookings in 90 days "
         "is more than 2."),
        ([MEMBERS, {"combinator": "OR", "rules": [CITY, PLAYS]}],
         "Members either whose city is “Durban” or whose bookings in 90 days is more than 2."),
        ([{"activity": {"type": "TEETIME_BOOKED"}, "operator": "countAtLeast", "value": 2,
           "within": {"amount": 90, "unit": "days"}}],
         "Customers who had at least 2 activities (type TEETIME_BOOKED) in the last 90 days."),
    ],
)  # fmt: skip
def test_rules_read_as_a_sentence(rules, sentence):
    words = Describer(zone=ZoneInfo("Africa/Johannesburg"))

    assert words.sentence(parse(rules)) == sentence


def test_a_sentence_names_segments(tenant):
    base = make_segment(name="VIPs")
    asked = parse([rule("segment", "notIn", [str(base.pk)])])

    assert Describer({base.pk: "VIPs"}).sentence(asked) == "Customers who are not in “VIPs”."
