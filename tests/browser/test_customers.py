"""Looking somebody up and writing down what they said: the front desk's daily work."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from customers.models import CustomerNote
from tests.factories import make_activity, make_customer, make_note

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def zoe(tenant, ann):
    with transaction.atomic():
        make_customer(first_name="Thabo", last_name="Nkosi")
        zoe = make_customer(first_name="Zoë", last_name="Smyth", phone_number="+27825550101")
        for hours in range(40):
            make_activity(
                customer=zoe,
                title=f"Round {hours}",
                occurred_at=timezone.now() - timedelta(hours=7 * hours),
            )
    return zoe


@pytest.mark.parametrize("width", [1440, 390])
def test_a_customer_is_found_and_a_note_added(browse, ann, zoe, width):
    page = browse(ann, width=width)
    page.goto("/oakhill/admin/customers/customerprofile/")
    search = page.get_by_placeholder("Name, e-mail, phone or member number")
    search.fill("zoe smith")
    search.press("Enter")
    page.get_by_role("link", name="Zoë Smyth").click()
    page.get_by_label("Note", exact=True).fill("Wants a cart on Sunday.")
    page.get_by_label("Keep on top").check()
    page.get_by_role("button", name="Add note").click()

    page.locator(".crm-note-words", has_text="Wants a cart on Sunday.").wait_for()
    with transaction.atomic():
        note = CustomerNote.objects.get()
    assert (note.customer_id, note.is_pinned, note.created_by) == (zoe.pk, True, f"user:{ann.pk}")


def test_the_timeline_goes_on_as_one_scrolls_and_narrows_to_a_kind(browse, ann, zoe):
    page = browse(ann)
    page.goto(f"/oakhill/admin/customers/customerprofile/{zoe.pk}/change/")
    entries = page.locator(".crm-entry")
    assert entries.count() == 30

    page.locator(".crm-more").scroll_into_view_if_needed()
    page.get_by_text("Round 39").wait_for()
    assert entries.count() == 40

    page.get_by_label("Words in the timeline").fill("round 17")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Round 16").wait_for(state="detached")
    assert entries.count() == 1
    page.get_by_label("Words in the timeline").fill("")

    page.get_by_role("button", name="Payments").or_(
        page.get_by_role("button", name="Financial")
    ).click()
    page.get_by_text("Nothing of this kind yet.").wait_for()


def test_a_view_is_kept_and_everybody_in_it_tagged(browse, ann, zoe):
    page = browse(ann)
    page.goto("/oakhill/admin/customers/customerprofile/?q=zoe")
    page.get_by_role("link", name="Columns").click()
    page.locator("#dialog").get_by_label("City").check()
    page.get_by_role("button", name="Show these").click()
    page.get_by_role("columnheader", name="City").wait_for()

    page.get_by_role("link", name="Save view").click()
    page.locator("#dialog").get_by_label("Name").fill("All the Zoës")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("link", name="All the Zoës").wait_for()

    page.get_by_label("Choose Zoë Smyth").check()
    page.get_by_role("link", name="Tag", exact=True).click()
    page.get_by_text("the customer you have ticked").wait_for()
    page.locator("#dialog").get_by_label("Tag").fill("vip")
    page.get_by_role("button", name="Tag them").click()
    page.get_by_text("1 tagged “vip”.").wait_for()


def test_a_follow_up_is_done_from_the_home_page(browse, ann, zoe):
    with transaction.atomic():
        make_note(zoe, content="Call about Sunday.", created_by=f"user:{ann.pk}",
                  follow_up_on=timezone.localdate())  # fmt: skip
    page = browse(ann, width=390)
    page.goto("/oakhill/admin/")
    page.get_by_role("button", name="Done: Zoë Smyth").click()
    page.get_by_text("Call about Sunday.").wait_for(state="detached")

    with transaction.atomic():
        assert CustomerNote.objects.get().done_at is not None
