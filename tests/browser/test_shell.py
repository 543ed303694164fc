"""What every page shares, in a real browser under the real policy. ``browse`` fails on a breach."""

import pytest
from django.db import transaction

from crm_site.access.models import ApiKey
from crm_site.access.services import issue_api_key
from tests.conftest import ACTOR

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_shell_works_without_evaluating_a_string(browse, ann):
    with transaction.atomic():
        issue_api_key(name="Website", scopes=["customers:read"], actor=ACTOR)
    page = browse(ann)

    page.goto("/oakhill/admin/")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("audit")
    page.locator("#command-results-list a", has_text="Audit log").click()
    page.wait_for_url("**/audit/crmauditlog/")

    page.locator("a", has_text="Filters").first.click()
    page.get_by_role("button", name="Apply Filters").wait_for()

    page.goto("/oakhill/admin/access/apikey/")
    page.get_by_role("link", name="Website").click()
    page.get_by_role("link", name="Revoke").click()
    page.locator("#dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("is revoked").wait_for()

    with transaction.atomic():
        assert ApiKey.objects.get().revoked_at is not None


def test_dark_is_kept_from_page_to_page(browse, ann):
    page = browse(ann)
    page.goto("/oakhill/admin/")
    page.keyboard.press("Control+e")
    page.keyboard.press("Control+e")

    page.goto("/oakhill/admin/tenancy/club/")

    assert "dark" in page.locator("html").get_attribute("class")


def test_icons_are_silent_and_what_can_be_clicked_can_be_reached_by_keyboard(browse, ann):
    page = browse(ann, width=390)
    page.goto("/oakhill/admin/audit/crmauditlog/")
    page.locator("a[tabindex='0']", has_text="Filters").wait_for()

    loud = page.locator(
        ".material-symbols-outlined:not([aria-hidden]):not([aria-label]):visible"
    ).count()

    assert loud == 0
    page.locator("a", has_text="Filters").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Apply Filters").wait_for()
