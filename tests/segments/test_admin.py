"""The screens of segments."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.tenancy.context import tenant_scope
from segments import tasks
from segments.models import CustomerSegment, SegmentRefresh
from segments.services.membership import change_members
from segments.services.refreshing import request_refresh, run_refresh
from tests.factories import make_customer, make_segment

CITY = {"field": "city", "operator": "equals", "value": "Durban"}


@pytest.fixture(autouse=True)
def nudged(monkeypatch):
    calls = []
    monkeypatch.setattr(tasks.refresh_one, "delay", lambda *args: calls.append(args))
    return calls


@pytest.fixture
def base(tenant):
    return f"/{tenant.pk}/admin/segments/customersegment/"


def form(**values):
    rules = {"combinator": "OR", "rules": [CITY]}
    defaults = {"name": "Durban", "type": "DYNAMIC", "refresh_frequency": "DAILY",
                "is_active": "on", "rules": json.dumps(rules)}  # fmt: skip
    return defaults | values


def test_a_segment_is_written_in_the_form(client, ann, base):
    client.force_login(ann)
    page = client.get(f"{base}add/")
    assert "<rule-builder>" in page.content.decode()

    saved = client.post(f"{base}add/", form())

    assert saved.status_code == 302, saved.context["errors"]
    segment = CustomerSegment.objects.get(name="Durban")
    assert (segment.criteria, segment.combinator) == ([CITY], "OR")
    assert segment.created_by == f"user:{ann.pk}"
    assert SegmentRefresh.objects.get().segment == segment


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("{", "This is not"),
        ("[]", "This is not"),
        ('{"combinator": "AND", "rules": []}', "No rule is given"),
        ('{"combinator": "AND", "rules": [{"field": "shoe"}]}', "rules[0].field"),
    ],
)
def test_wrong_rules_are_refused_beside_the_builder(client, ann, base, rules, message):
    client.force_login(ann)

    page = client.post(f"{base}add/", form(rules=rules))

    assert message in page.context["adminform"].form.errors["rules"][0]
    assert not CustomerSegment.objects.filter(name="Durban").exists()


def test_a_taken_name_is_refused(client, ann, base):
    make_segment(CITY, name="Durban")
    client.force_login(ann)

    page = client.post(f"{base}add/", form())

    assert "Another segment has this name" in page.content.decode()


def test_a_segment_by_hand_needs_no_rules(client, ann, base):
    client.force_login(ann)

    client.post(f"{base}add/", form(type="STATIC"))

    assert CustomerSegment.objects.get(name="Durban").criteria is None


def test_the_list_says_who_is_in_each(client, ann, ben, base):
    make_segment(CITY, name="Coast")
    make_segment({"field": "gone"}, name="Old")
    for user in (ann, ben):
        client.force_login(user)

        text = client.get(base).content.decode()

        assert "Customers whose city is “Durban”." in text
        assert "Everybody." in text
        assert "Broken: rules[0].field" in text


def test_the_page_shows_members_and_history(client, ann, base):
    for _ in range(51):
        make_customer(city="Durban")
    segment = make_segment(CITY)
    for _ in range(2):
        now = timezone.now()
        asked = request_refresh(segment_id=segment.pk, actor=Actor("user:x"), now=now)
        run_refresh(refresh_id=asked.pk, now=now)
    client.force_login(ann)

    page = client.get(f"{base}{segment.pk}/change/").content.decode()
    first = client.get(f"{base}{segment.pk}/tab/members/")
    rest = client.get(f"{base}{segment.pk}/tab/members/?after={first.context['next']}")
    history = client.get(f"{base}{segment.pk}/tab/history/").content.decode()

    assert "Customers whose city is “Durban”." in page
    assert (len(first.context["rows"]), len(rest.context["rows"])) == (50, 1)
    assert "+51" in history
    assert "Who was in it on" in history


def test_refresh_and_delete_are_asked_for_by_post(client, ann, ben, cleo, tenant):
    segment = make_segment(CITY)
    name = "admin:segments_customersegment_"
    refresh, remove = (
        f"/{tenant.pk}{reverse(f'{name}{action}', args=[segment.pk])}"
        for action in ("refresh_now", "remove")
    )
    pressed = {"_form_submitted": "True"}
    for user in (ben, cleo):
        client.force_login(user)
        assert client.post(refresh, pressed).status_code in (403, 404)
    client.force_login(ann)

    client.get(refresh)
    assert not SegmentRefresh.objects.exists()
    client.post(refresh, pressed)
    client.post(remove, pressed)

    assert SegmentRefresh.objects.get().requested_by == f"user:{ann.pk}"
    segment.refresh_from_db()
    assert segment.deleted_at is not None


def test_the_builder_is_told_who_matches(client, ann, ben, cleo, base, other_tenant):
    make_customer(city="durban", display_name="Ann Lee", tags=["vip"])
    with tenant_scope(other_tenant.pk):
        make_customer(city="Durban", tags=["secret"])
    asked = {"data": json.dumps({"combinator": "AND", "rules": [CITY]}),
             "content_type": "application/json"}  # fmt: skip
    for user in (ann, ben):
        client.force_login(user)

        found = client.post(f"{base}preview/", **asked).json()
        values = client.get(f"{base}values/?field=tags").json()

        assert (found["count"], found["isExact"]) == (1, True)
        assert found["sample"][0]["name"] == "Ann Lee"
        assert values == {"values": ["vip"]}
    assert client.get(f"{base}values/?field=email").json() == {"values": []}
    wrong = client.post(f"{base}preview/", '{"rules": []}', content_type="application/json")
    assert (wrong.status_code, wrong.json()["path"]) == (400, "combinator")
    client.force_login(cleo)
    assert client.post(f"{base}preview/", **asked).status_code == 404


def by_hand(name="Committee"):
    return make_segment(type="STATIC", criteria=None, name=name)


def pressed(tenant, action, *args):
    return f"/{tenant.pk}{reverse(f'admin:segments_customersegment_{action}', args=args)}"


def test_people_are_put_into_a_segment_by_hand_by_what_is_known_of_them(
    client, ann, ben, cleo, tenant, other_tenant
):
    zoe = make_customer(email="zoe@example.com")
    thabo = make_customer(phone_number="+27825550101")
    nomsa = make_customer(scl_member_id=4711)
    with tenant_scope(other_tenant.pk):
        make_customer(email="stranger@example.com")
    segment = by_hand()
    add = pressed(tenant, "add_members", segment.pk)
    asked = {"people": "Zoe@example.com\n082 555 0101\n\n4711", "_form_submitted": "True"}
    for user in (ben, cleo):
        client.force_login(user)
        assert client.post(add, asked).status_code in (403, 404)
    client.force_login(ann)

    wrong = client.post(add, asked | {"people": "zoe@example.com\nstranger@example.com"})
    assert "No customer has “stranger@example.com”. Nobody was added." in wrong.content.decode()
    assert not segment.memberships.exists()
    done = client.post(add, asked)

    assert "HX-Redirect" in done.headers
    members = set(segment.memberships.values_list("customer", flat=True))
    assert members == {zoe.pk, thabo.pk, nomsa.pk}


def test_a_member_is_removed_from_the_list_and_put_back(client, ann, ben, tenant):
    zoe, segment = make_customer(), by_hand()
    member = pressed(tenant, "member", segment.pk, zoe.pk)
    client.force_login(ben)
    assert client.post(member, {"do": "add"}).status_code == 403
    client.force_login(ann)
    assert client.get(member).status_code == 403

    added = client.post(member, {"do": "add"}).content.decode()
    assert segment.memberships.count() == 1
    removed = client.post(member, {"do": "remove"}).content.decode()

    assert "Remove" in added
    assert "Put back" in removed
    assert not segment.memberships.exists()


def test_a_segment_by_rules_takes_nobody_by_hand(client, ann, base, tenant):
    zoe, segment = make_customer(), make_segment(CITY)
    client.force_login(ann)

    page = client.get(f"{base}{segment.pk}/change/").content.decode()
    answer = client.post(pressed(tenant, "member", segment.pk, zoe.pk), {"do": "add"})

    assert "Add people" not in page
    assert answer.status_code == 403


def test_the_customers_page_names_their_segments_and_puts_them_into_more(
    client, ann, ben, cleo, tenant, other_tenant
):
    zoe, segment = make_customer(), by_hand()
    by_hand("Captains")
    with tenant_scope(other_tenant.pk):
        by_hand("Theirs")
    page = f"/{tenant.pk}/admin/customers/customerprofile/{zoe.pk}/change/"
    put_in = pressed(tenant, "put_in", zoe.pk)
    for user in (ben, cleo):
        client.force_login(user)
        assert client.post(put_in, {"segment": segment.pk}).status_code in (403, 404)
    client.force_login(ann)

    assert "In no segment" in client.get(page).content.decode()
    shown = client.post(put_in, {"segment": segment.pk}, follow=True).content.decode()

    assert "added to “Committee”" in shown
    assert f"customersegment/{segment.pk}/change/" in shown
    assert "Captains</option>" in shown
    assert "Theirs" not in shown
    client.force_login(ben)
    assert "Captains</option>" not in client.get(page).content.decode()


def test_history_draws_sizes_an_overlap_and_a_past_day(client, ann, base, tenant, actor):
    now = timezone.now()
    first, second = (make_segment(type="STATIC", criteria=None) for _ in range(2))
    made = CustomerSegment.objects.filter(pk=first.pk)
    made.update(created_at=now - timedelta(days=9))
    people = [make_customer(first_name=f"Person {number}") for number in range(4)]
    ids = [each.pk for each in people]
    change_members(segment=first, add=ids[:3], actor=actor, now=now - timedelta(days=5))
    change_members(segment=first, remove=ids[:1], actor=actor, now=now - timedelta(days=2))
    change_members(segment=second, add=ids[2:], actor=actor, now=now)
    client.force_login(ann)

    def tab(**asked):
        return client.get(f"{base}{first.pk}/tab/history/", asked).content.decode()

    assert "<polyline" in tab()
    both = tab(**{"with": str(second.pk)})
    assert "1 only here" in both
    assert "1 in both" in both
    assert "50% of the smaller one" in both
    past = tab(on=(now - timedelta(days=4)).date().isoformat())
    assert "<strong>3</strong> people" in past
    assert "Person 0" in past
    assert "still to come" in tab(on=(now + timedelta(days=3)).date().isoformat())
    assert "reaches back" in tab(on="2001-01-01")
    assert "Choose a day" in tab(on="soon")


def test_an_overlap_stays_within_the_tenant(client, ann, base, other_tenant):
    own = make_segment()
    with tenant_scope(other_tenant.pk):
        theirs = make_segment(name="Secret")
    client.force_login(ann)

    page = client.get(f"{base}{own.pk}/tab/history/", {"with": str(theirs.pk)})

    assert page.content.decode().strip() == ""
