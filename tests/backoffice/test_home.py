from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, SyncLog
from segments.models import CustomerSegment
from tests.factories import make_customer

HOME = "/oakhill/admin/"


def book(customer, *, days_ago):
    Activity.objects.create(
        customer=customer,
        type="TEETIME_BOOKED",
        category="BOOKING",
        title="Booked",
        source_service="teetime",
        occurred_at=timezone.now() - timedelta(days=days_ago),
    )


def cards(page):
    return {card.title: card for card in page.context["figures"]}


def test_figures_are_those_of_the_club_in_scope(as_ann, as_cleo, tenant, other_tenant):
    customer = make_customer()
    for days_ago in (1, 2, 40):
        book(customer, days_ago=days_ago)
    with tenant_scope(other_tenant.pk):
        for _ in range(3):
            make_customer()

    ours = cards(as_ann.get(HOME))
    theirs = cards(as_cleo.get("/pinecrest/admin/"))

    assert ours["Customers"].value == "1"
    assert ours["Tee times booked"].value == "2"
    assert "100% more" in ours["Tee times booked"].note
    assert theirs["Customers"].value == "3"
    assert theirs["Tee times booked"].value == "0"


def test_a_kept_figure_is_never_another_clubs(as_ann, ann, as_root, other_tenant, tenant):
    make_customer()
    as_root.get(HOME)

    theirs = cards(as_root.get("/pinecrest/admin/"))

    assert theirs["Customers"].value == "0"


def test_a_club_that_knows_nobody_reads_what_to_do_first(as_ann, as_ben):
    for_owner = as_ann.get(HOME)
    for_viewer = as_ben.get(HOME)

    assert for_owner.context["steps"]
    assert for_viewer.context["steps"] == []
    assert "First steps" not in for_viewer.content.decode()


def test_a_segments_figure_leads_to_its_members_once_it_was_counted(as_ann, tenant):
    segment = CustomerSegment.objects.filter(name="At Risk (Churn)").first()
    if segment is None:
        segment = CustomerSegment.objects.create(name="At Risk (Churn)", is_system=True)
    before = cards(as_ann.get(HOME))["At risk"]
    CustomerSegment.objects.filter(pk=segment.pk).update(
        member_count=7, last_refreshed_at=timezone.now()
    )
    cache.clear()

    after = cards(as_ann.get(HOME))["At risk"]

    assert before.value is None
    assert after.value == "7"


@pytest.fixture
def trouble(tenant):
    SyncLog.objects.create(
        source_service="scl", event_type="member.created", event_id="1", payload_hash="x",
        occurred_at=timezone.now(), status="FAILED",
    )  # fmt: skip
    Campaign.objects.create(name="Stopped", status=CampaignStatus.PAUSED, created_by="user:1")


def test_what_waits_is_shown_to_whoever_can_do_something_about_it(as_ann, as_ben, trouble):
    for_owner = [task.text for task in as_ann.get(HOME).context["waiting"]]
    for_viewer = as_ben.get(HOME).context["waiting"]

    assert "1 event could not be processed" in for_owner
    assert "1 campaign is paused" in for_owner
    assert for_viewer == []


def test_a_campaign_shows_how_far_its_messages_came(as_ben, tenant):
    Campaign.objects.create(
        name="Spring", status=CampaignStatus.COMPLETED, created_by="user:1",
        started_at=timezone.now(), sent_count=200, delivered_count=190, opened_count=95,
    )  # fmt: skip

    (shown,) = as_ben.get(HOME).context["campaigns"]

    assert [part["width"] for part in shown["funnel"]] == [100, 95, 48, 0]


def test_the_page_asks_few_questions_and_fewer_the_second_time(as_ann, tenant):
    make_customer()
    with CaptureQueriesContext(connection) as first:
        as_ann.get(HOME)
    with CaptureQueriesContext(connection) as second:
        as_ann.get(HOME)

    assert len(first) <= 36
    assert len(second) <= len(first) - 5


def test_every_number_and_task_leads_somewhere(as_ann, trouble):
    book(make_customer(), days_ago=1)
    shown = as_ann.get(HOME).context
    links = [item.link for item in (*shown["figures"], *shown["waiting"]) if item.link]

    assert len(links) >= 5
    for link in links:
        # A filter that a list does not know makes it redirect.
        assert as_ann.get(link).status_code == 200, link


def test_the_week_stands_beside_the_one_before(as_ann, as_cleo, tenant, other_tenant):
    now = timezone.now()
    for name, days, sent, opened in (("New", 2, 100, 40), ("Old", 9, 60, 30), ("Older", 20, 9, 9)):
        Campaign.objects.create(
            name=name, created_by="user:1", started_at=now - timedelta(days=days), open_rate=0.4,
            sent_count=sent, delivered_count=sent, opened_count=opened,
        )  # fmt: skip

    page = as_ann.get(HOME)
    week = page.context["week"]

    told = {figure.title: (figure.value, figure.note) for figure in week.figures}
    assert told["Campaigns"] == ("1", "as many as the week before")
    assert told["Messages sent"] == ("100", "40 more than the week before")
    assert told["Opened"] == ("40%", "50% the week before")
    assert week.best["name"] == "New"
    listed = as_ann.get(week.figures[0].link).content.decode()
    assert "New" in listed
    assert "Older" not in listed
    assert as_cleo.get("/pinecrest/admin/").context["week"] is None
