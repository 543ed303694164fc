"""Opening the people behind a number, and dragging a campaign to another day."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.lifecycle import schedule_campaign, start_campaign
from campaigns.services.results import refresh_results
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient, send_all

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CALENDAR = "/oakhill/admin/campaigns/campaign/calendar/"


def test_a_number_opens_its_people_and_a_drag_moves_a_campaign(browse, ann, tenant, actor):
    with transaction.atomic():
        sent = make_campaign(make_recipient(first_name="Ava", last_name="Golf"))
        start_campaign(campaign_id=sent.pk, actor=ACTOR)
    send_all()
    refresh_results(sent.pk)
    at = (timezone.now() + timedelta(days=400)).replace(day=10, hour=9, minute=0, second=0)
    with transaction.atomic():
        planned = make_campaign(make_recipient(), name="Planned", timezone="UTC")
        schedule_campaign(campaign_id=planned.pk, actor=ACTOR, scheduled_at=at)
    page = browse(ann)

    page.goto(f"/oakhill/admin/campaigns/campaign/{sent.pk}/change/#dataset-results")
    page.locator("a[href*='step=SENT'][href*='tier=']:visible").click()
    page.get_by_role("link", name="Ava Golf").wait_for()

    page.goto(f"{CALENDAR}?on={at:%Y-%m-%d}")
    page.locator("li", has_text="Planned").drag_to(page.locator(f"[data-day='{at:%Y-%m}-12']"))
    page.get_by_text("“Planned” goes out on").wait_for()
    assert _day_of(planned) == 12
    page.get_by_role("button", name="Undo").click()
    page.locator(f"[data-day='{at:%Y-%m}-10'] li", has_text="Planned").wait_for()
    assert _day_of(planned) == 10

    # Without a mouse.
    page.get_by_label("Move “Planned”").press("Enter")
    page.get_by_label("To", exact=True).fill(f"{at:%Y-%m}-15")
    page.get_by_role("button", name="Move", exact=True).press("Enter")
    page.locator(f"[data-day='{at:%Y-%m}-15'] li", has_text="Planned").wait_for()
    assert _day_of(planned) == 15


def _day_of(campaign):
    with transaction.atomic():
        return Campaign.objects.get(pk=campaign.pk).scheduled_at.day
