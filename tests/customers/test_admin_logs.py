"""The event inbox and the palette, as Ann, Ben and Cleo meet them."""

import pytest
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers.choices import SyncStatus
from customers.models import SyncLog
from tests.conftest import signed_in
from tests.factories import make_activity, make_customer

PEOPLE = "/oakhill/admin/customers/"


def make_event(number=0, status=SyncStatus.FAILED, **values):
    return SyncLog.objects.create(
        source_service="teetime",
        event_type="booking.created",
        event_id=f"event-{number}",
        event_payload={"data": {"course": "<East>"}},
        payload_hash="x",
        occurred_at=timezone.now(),
        status=status,
        **values,
    )


def test_an_event_is_replayed(ann, tenant):
    failed = make_event(error="No such course.", attempts=8)
    browser = signed_in(ann)
    page = browser.get(f"{PEOPLE}synclog/{failed.pk}/change/").content.decode()
    assert "&lt;East&gt;" in page

    browser.post(f"{PEOPLE}synclog/{failed.pk}/replay/", {"_form_submitted": "True"})

    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == (SyncStatus.PENDING, 0)


def test_failures_are_grouped_by_cause_and_replayed_together(ann, tenant):
    for number in range(3):
        make_event(number, error="No such course.")
    make_event(9, SyncStatus.SUCCESS)
    browser = signed_in(ann)
    assert "3 × booking.created" in browser.get(f"{PEOPLE}synclog/").content.decode()

    browser.post(
        f"{PEOPLE}synclog/replay_failed/", {"_form_submitted": "True", "source": "teetime"}
    )

    assert SyncLog.objects.filter(status=SyncStatus.PENDING).count() == 3
    assert SyncLog.objects.filter(status=SyncStatus.SUCCESS).count() == 1


def test_who_only_reads_replays_nothing(ben, tenant):
    failed = make_event()

    answer = signed_in(ben).post(
        f"{PEOPLE}synclog/{failed.pk}/replay/", {"_form_submitted": "True"}
    )

    assert answer.status_code == 403
    failed.refresh_from_db()
    assert failed.status == SyncStatus.FAILED


@pytest.mark.parametrize("name", ["customerprofile", "activity", "customernote", "synclog"])
def test_an_empty_list_says_what_to_do_first(name, ann):
    page = signed_in(ann).get(f"{PEOPLE}{name}/").content.decode()

    assert "yet</h2>" in page.replace("\n", "").replace("  ", "")


def test_the_palette_finds_customers_of_this_club_only(ann, tenant, other_tenant):
    make_customer(first_name="Zoë", last_name="Ours")
    with tenant_scope(other_tenant.pk):
        make_customer(first_name="Zoë", last_name="Theirs")

    page = signed_in(ann).get("/oakhill/admin/search/", {"s": "zoe", "extended": "1"})

    assert "Ours" in page.content.decode()
    assert "Theirs" not in page.content.decode()


def test_the_activity_list_shows_this_club_only(ben, tenant, other_tenant):
    make_activity(title="Played the East course")
    with tenant_scope(other_tenant.pk):
        make_activity(title="Played elsewhere")

    page = signed_in(ben).get(f"{PEOPLE}activity/").content.decode()

    assert "Played the East course" in page
    assert "elsewhere" not in page
