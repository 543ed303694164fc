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
