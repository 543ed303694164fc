"""A first campaign: the form step by step, the review, the start, and the page while it sends."""

import pytest
from django.db import transaction

from campaigns import tasks
from campaigns.models import Campaign
from campaigns.services.dispatch import send_due
from crm_site.tenancy.context import require_tenant_id
from tests.campaigns.builders import make_recipient, make_segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def silent_bell(monkeypatch):
    """No broker here: the test is the worker."""
    monkeypatch.setattr(tasks, "ring_on_commit", lambda *args: None)


def test_a_marketer_fills_the_form_and_starts_it(browse, ann, tenant):
    with transaction.atomic():
        make_segment(make_recipient(), make_recipient(email_opt_in=False), name="Ladies")
    page = browse(ann)
    page.goto("/oakhill/admin/campaigns/campaign/add/")

    page.get_by_label("Name", exact=True).fill("Spring offer")
    page.get_by_role("button", name="Save and go on to Audience").click()
    page.get_by_label("For everybody in").select_option(label="Ladies (0 people)")
    page.get_by_text("of 2 people by any channel").wait_for()
    page.get_by_role("button", name="Save and go on to Content").click()
    assert page.get_by_label("E-mail template").is_hidden()
    page.get_by_label("E-mail", exact=True).check()
    page.get_by_label("E-mail template").select_option("newsletter-email")
    page.get_by_text("here is this month's news").wait_for()
    page.get_by_role("button", name="Save and go on to Schedule").click()
    page.get_by_role("button", name="Save and go on to Test").click()
    page.get_by_role("button", name="Save and go on to Review").click()
    page.get_by_text("1 person will hear").wait_for()
    page.get_by_role("button", name="Start now").click()
    page.get_by_text("is on its way").wait_for()

    send_due(require_tenant_id(), seconds=20)
    page.reload()
    page.get_by_text("1 of 1 message done").wait_for()
    with transaction.atomic():
        assert Campaign.objects.get().sent_count == 1
