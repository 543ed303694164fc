"""Whatever the language does not have is refused, with the path of the fault."""

import pytest

from crm_site.tenancy.context import tenant_scope
from segments.models import CustomerSegment
from segments.rules.errors import RuleError
from segments.rules.grammar import parse
from segments.rules.references import check_segments

EVERYBODY = {"field": "id", "operator": "isNotNull"}
CITY = {"field": "city", "operator": "equals", "value": "Durban"}


def field(name, operator, *value):
    return {"field": name, "operator": operator} | ({"value": value[0]} if value else {})


def group(*rules, **more):
    return {"combinator": "AND", "rules": list(rules)} | more


def nested(depth):
    """A rule at ``depth``; the outer list is depth 1."""
    rule = EVERYBODY
    for _ in range(depth - 1):
        rule = group(rule)
    return [rule]


def count(**changes):
    made = {"activity": {"type": "X"}, "operator": "countAtLeast", "value": 1} | changes
    return {key: value for key, value in made.items() if value is not ...}


SPAN = {"amount": 1, "unit": "days"}

REFUSED = [
    ([], "rules"),
    ({}, "rules"),
    (None, "rules"),
    ("city", "rules"),
    ([CITY, "city"], "rules[1]"),
    ([[CITY]], "rules[0]"),
    ([{}], "rules[0].field"),
    ([CITY | {"colour": 1}], "rules[0].colour"),
    ([CITY | {"within": SPAN}], "rules[0].within"),
    ([CITY | {"negate": True}], "rules[0].negate"),
    ([field("shoeSize", "equals", 9)], "rules[0].field"),
    ([field("tenantId", "equals", "x")], "rules[0].field"),
    ([field("mergedIntoId", "isNull")], "rules[0].field"),
    ([field("mergedAt", "isNull")], "rules[0].field"),
    ([field("deletedAt", "isNull")], "rules[0].field"),
    ([field("first_name", "isNull")], "rules[0].field"),
    ([field(7, "isNull")], "rules[0].field"),
    ([field("externalIds.", "isNull")], "rules[0].field"),
    ([field("externalIds.a\x00b", "isNull")], "rules[0].field"),
    ([field("externalIds", "equals", "a")], "rules[0].operator"),
    ([field("city", "regex", "a")], "rules[0].operator"),
    ([field("city", "greaterThan", "a")], "rules[0].operator"),
    ([field("handicap", "contains", "1")], "rules[0].operator"),
    ([field("lifecycleStage", "contains", "M")], "rules[0].operator"),
    ([field("lastBookingAt", "anniversaryWithinNext", SPAN)], "rules[0].operator"),
    ([field("segment", "isNull")], "rules[0].operator"),
    ([field("tags", "equals", "vip")], "rules[0].operator"),
    ([{"field": "city"}], "rules[0].operator"),
    ([field("city", ["equals"], "a")], "rules[0].operator"),
    ([field("city", "equals")], "rules[0].value"),
    ([field("city", "equals", None)], "rules[0].value"),
    ([field("city", "equals", "")], "rules[0].value"),
    ([field("city", "equals", 7)], "rules[0].value"),
    ([field("city", "equals", ["a"])], "rules[0].value"),
    ([field("city", "equals", "a\x00")], "rules[0].value"),
    ([field("city", "equals", "\ud800")], "rules[0].value"),
    ([field("city", "in", "a")], "rules[0].value"),
    ([field("city", "in", [])], "rules[0].value"),
    ([field("city", "in", ["a", ""])], "rules[0].value[1]"),
    ([field("city", "in", ["a", "b", 3])], "rules[0].value[2]"),
    ([field("city", "in", ["a"] * 1001)], "rules[0].value"),
    ([field("city", "isNull", True)], "rules[0].value"),
    ([field("emailOptIn", "isTrue", True)], "rules[0].value"),
    ([field("handicap", "equals", "12")], "rules[0].value"),
    ([field("handicap", "equals", True)], "rules[0].value"),
    ([field("handicap", "equals", float("inf"))], "rules[0].value"),
    ([field("handicap", "between", [3, 2])], "rules[0].value"),
    ([field("handicap", "between", [1])], "rules[0].value"),
    ([field("handicap", "between", [1, 2, 3])], "rules[0].value"),
    ([field("handicap", "between", [1, "2"])], "rules[0].value[1]"),
    ([field("sclMemberId", "equals", "7")], "rules[0].value"),
    ([field("lifecycleStage", "equals", "member")], "rules[0].value"),
    ([field("lifecycleStage", "in", ["MEMBER", "GONE"])], "rules[0].value[1]"),
    ([field("tags", "hasAny", "vip")], "rules[0].value"),
    ([field("tags", "hasAny", [1])], "rules[0].value[0]"),
    ([field("lastBookingAt", "before", "2026-02-30")], "rules[0].value"),
    ([field("lastBookingAt", "before", "2026-03-31T14:00:00")], "rules[0].value"),
    ([field("lastBookingAt", "before", "2026-03-31T25:00:00Z")], "rules[0].value"),
    ([field("lastBookingAt", "before", "0001-01-01T00:00:00+23:00")], "rules[0].value"),
    ([field("lastBookingAt", "before", "31/03/2026")], "rules[0].value"),
    ([field("lastBookingAt", "before", "2026-W14-1")], "rules[0].value"),
    ([field("lastBookingAt", "on", "2026-03-31T14:00:00Z")], "rules[0].value"),
    ([field("lastBookingAt", "between", ["2026-04-01", "2026-03-31"])], "rules[0].value"),
    ([field("lastBookingAt", "between", ["2026-04-01", "2026-05-01T00:00:00Z"])], "rules[0].value"),
    ([field("lastBookingAt", "withinLast", "6 weeks")], "rules[0].value"),
    ([field("lastBookingAt", "withinLast", {"amount": 6})], "rules[0].value.unit"),
    ([field("lastBookingAt", "withinLast", {"unit": "days"})], "rules[0].value.amount"),
    ([field("lastBookingAt", "withinLast", SPAN | {"amount": 0})], "rules[0].value.amount"),
    ([field("lastBookingAt", "withinLast", SPAN | {"amount": 1.5})], "rules[0].value.amount"),
    ([field("lastBookingAt", "withinLast", SPAN | {"amount": True})], "rules[0].value.amount"),
    ([field("lastBookingAt", "withinLast", SPAN | {"unit": "day"})], "rules[0].value.unit"),
    ([field("lastBookingAt", "withinLast", SPAN | {"from": 1})], "rules[0].value.from"),
    ([field("dateOfBirth", "before", "1980-01-01T00:00:00Z")], "rules[0].value"),
    ([field("dateOfBirth", "withinLast", SPAN | {"unit": "hours"})], "rules[0].value.unit"),
    ([field("dateOfBirth", "anniversaryWithinNext", SPAN | {"unit": "weeks"})],
     "rules[0].value.unit"),
    ([field("segment", "in", ["no id"])], "rules[0].value[0]"),
    ([field("segment", "in", [7])], "rules[0].value[0]"),
    ([CITY, group(CITY, CITY, CITY | {"operator": "near"})], "rules[1].rules[2].operator"),
    ([group()], "rules[0].rules"),
    ([{"combinator": "AND"}], "rules[0].rules"),
    ([{"rules": [CITY]}], "rules[0].combinator"),
    ([group(CITY, combinator="XOR")], "rules[0].combinator"),
    ([group(CITY, negate="yes")], "rules[0].negate"),
    ([group(CITY, name="x")], "rules[0].name"),
    (nested(6), "rules[0].rules[0].rules[0].rules[0].rules[0].rules"),
    ([CITY] * 51, "rules"),
    ([field("city", "in", ["x" * 700] * 100)], "rules"),
    ([count(activity={})], "rules[0].activity"),
    ([count(activity="X")], "rules[0].activity"),
    ([count(activity={"kind": "X"})], "rules[0].activity.kind"),
    ([count(activity={"type": ""})], "rules[0].activity.type"),
    ([count(activity={"category": "booking"})], "rules[0].activity.category"),
    ([count(activity={"metadata": {}})], "rules[0].activity.metadata"),
    ([count(activity={"metadata": {"a..b": 1}})], "rules[0].activity.metadata.a..b"),
    ([count(operator="equals")], "rules[0].operator"),
    ([count(operator=...)], "rules[0].operator"),
    ([count(value=...)], "rules[0].value"),
    ([count(value=-1)], "rules[0].value"),
    ([count(value="2")], "rules[0].value"),
    ([count(within={"amount": 1})], "rules[0].within.unit"),
    ([count(within=None)], "rules[0].within"),
    ([count(field="city")], "rules[0].field"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "path"), REFUSED)
def test_is_refused_with_its_path(rules, path):
    with pytest.raises(RuleError) as refused:
        parse(rules)

    assert refused.value.path == path
    assert str(refused.value).startswith(f"{path}: ")


def test_the_outer_combinator_is_checked():
    with pytest.raises(RuleError, match="combinator"):
        parse([EVERYBODY], "and")


@pytest.mark.parametrize(
    "rules", [nested(5), [CITY] * 50, [field("city", "in", ["x"] * 1000)], [count(value=0)]]
)
def test_the_limits_themselves_are_allowed(rules):
    parse(rules)


def test_a_document_nested_without_end_is_refused():
    rules = []
    for _ in range(100_000):
        rules = [rules]

    with pytest.raises(RuleError):
        parse(rules)


@pytest.fixture
def members(tenant):
    return CustomerSegment.objects.create(name="Members", criteria=[EVERYBODY])


def asking_for(*segments):
    return [field("segment", "in", [str(segment.pk) for segment in segments])]


def test_an_unknown_segment_is_refused(members):
    strange = [field("segment", "in", [str(members.pk), "01970000-0000-7000-8000-000000000000"])]

    with pytest.raises(RuleError) as refused:
        check_segments(parse(strange))

    assert refused.value.path == "rules[0].value"


def test_a_deleted_segment_is_refused(members):
    members.deleted_at = members.created_at
    members.save()

    with pytest.raises(RuleError, match="no such segment"):
        check_segments(parse(asking_for(members)))


def test_another_clubs_segment_is_refused(tenant, other_tenant, members):
    with tenant_scope(other_tenant.pk), pytest.raises(RuleError):
        check_segments(parse(asking_for(members)))


def test_a_circle_of_segments_is_refused(members):
    second = CustomerSegment.objects.create(name="Second", criteria=asking_for(members))
    third = CustomerSegment.objects.create(name="Third", criteria=[group(*asking_for(second))])

    for segment in (members, second, third):
        with pytest.raises(RuleError, match="itself"):
            check_segments(parse(asking_for(segment)), asked_by=members.pk)
    check_segments(parse(asking_for(second, third)))


@pytest.mark.parametrize(
    ("filters", "path"),
    [
        ({}, "rules[0].interaction"),
        ({"type": "opened"}, "rules[0].interaction.type"),
        ({"channel": "FAX"}, "rules[0].interaction.channel"),
        ({"campaignId": "7"}, "rules[0].interaction.campaignId"),
        ({"linkUrl": "x"}, "rules[0].interaction.linkUrl"),
    ],
)
def test_a_question_about_responses_is_refused_with_its_path(filters, path):
    with pytest.raises(RuleError) as refused:
        parse([{"interaction": filters, "operator": "countAtLeast", "value": 1}])

    assert refused.value.path == path
