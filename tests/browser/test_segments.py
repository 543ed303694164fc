"""Writing a segment in the builder, as a marketer does: choose, watch the count, save."""

import pytest
from django.db import transaction

from segments import tasks
from segments.models import CustomerSegment, CustomerSegmentMembership
from tests.factories import make_customer, make_segment

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nudged(monkeypatch):
    """No broker here: the refresh waits for the next sweep."""
    monkeypatch.setattr(tasks.refresh_one, "delay", lambda *args: None)


def test_a_segment_is_built_counted_and_saved(browse, ann, tenant):
    with transaction.atomic():
        make_customer(city="Durban", lifecycle_stage="MEMBER")
        make_customer(city="durban", lifecycle_stage="LEAD")
        make_customer(city="Cape Town", lifecycle_stage="MEMBER")
    page = browse(ann)
    page.goto("/oakhill/admin/segments/customersegment/add/")
    count = page.locator(".rb-total")
    expect(count).to_contain_text("2")

    page.locator("#id_name").fill("Durban people")
    page.locator(".rb-rule select").first.select_option("city")
    page.locator(".rb-rule .rb-input[type=text], .rb-rule .rb-text").first.fill("Durban")
    expect(count).to_contain_text("2")
    expect(page.locator(".rb-side")).to_contain_text("Durban")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was added successfully").wait_for()

    with transaction.atomic():
        segment = CustomerSegment.objects.get(name="Durban people")
    assert segment.criteria == [{"field": "city", "operator": "equals", "value": "Durban"}]


def test_rules_are_started_from_moved_copied_and_undone(browse, ann, tenant):
    with transaction.atomic():
        make_customer(city="Durban", lifecycle_stage="MEMBER")
        make_customer(city="Paarl", lifecycle_stage="LEAD")
    page = browse(ann)
    page.goto("/oakhill/admin/segments/customersegment/add/")
    first = page.locator(".rb-depth-1 > .rb-list > [data-path]")

    page.get_by_label("Start from").select_option(label="Lapsed for 90 days")
    expect(first).to_have_count(3)
    expect(page.locator("#id_name")).to_have_value("Lapsed for 90 days")
    expect(page.locator(".rb-steps")).to_contain_text("Everybody2")

    page.get_by_role("button", name="Copy this rule").first.click()
    page.get_by_role("button", name="Add a group").click()
    group = page.locator(".rb-depth-2")
    group.get_by_role("button", name="Paste").click()
    expect(group.locator(".rb-rule")).to_have_count(2)
    page.locator(".rb-grip").first.press("Alt+ArrowDown")
    page.locator(".rb-grip").nth(2).drag_to(group.locator(".rb-rule").first)
    expect(group.locator(".rb-rule")).to_have_count(3)
    expect(first).to_have_count(3)

    for _ in range(5):
        page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    expect(first).to_have_count(1)
    page.locator(".rb-grip").first.press("Control+Shift+Z")
    expect(first).to_have_count(3)


def test_an_open_segment_says_whom_other_rules_would_bring_and_cost(browse, ann, tenant):
    with transaction.atomic():
        member = make_customer(first_name="Zoë", last_name="Smyth", city="Durban")
        make_customer(first_name="Piet", last_name="Retief", city="Paarl")
        criteria = [{"field": "city", "operator": "equals", "value": "Durban"}]
        segment = make_segment(name="Durban", criteria=criteria)
        CustomerSegmentMembership.objects.create(segment=segment, customer=member)
    page = browse(ann)
    page.goto(f"/oakhill/admin/segments/customersegment/{segment.pk}/change/")
    expect(page.locator(".rb-total")).to_contain_text("1")
    expect(page.locator(".rb-difference")).to_have_count(0)

    page.locator(".rb-text").fill("Paarl")

    expect(page.locator(".rb-difference")).to_contain_text("+1 joinPiet Retief")
    expect(page.locator(".rb-difference")).to_contain_text("−1 leaveZoë Smyth")


def test_people_are_added_by_hand_and_taken_out_again(browse, ann, tenant):
    with transaction.atomic():
        make_customer(first_name="Zoë", last_name="Smyth", email="zoe@example.com")
        segment = make_segment(type="STATIC", criteria=None, name="Committee")
    page = browse(ann)
    page.goto(f"/oakhill/admin/segments/customersegment/{segment.pk}/change/")

    page.get_by_role("link", name="Add people").click()
    page.locator("#dialog textarea").fill("ZOE@example.com")
    page.locator("#dialog").get_by_role("button", name="Add them").click()
    page.get_by_text("added to “Committee”").wait_for()
    page.locator(".sg-facts").get_by_role("link", name="1").click()
    page.get_by_role("button", name="Remove Zoë Smyth").click()
    page.get_by_role("button", name="Put Zoë Smyth back").click()
    page.get_by_role("button", name="Remove Zoë Smyth").wait_for()

    with transaction.atomic():
        assert CustomerSegmentMembership.objects.count() == 1
