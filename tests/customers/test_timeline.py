"""A customer's timeline: whole, in order, in pages of a bounded cost, and private notes kept."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerNote
from customers.services.timeline import Position, read_coming, read_timeline
from tests.factories import make_activity, make_customer, make_note

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
VIEWER = "user:test"


def whole(customer, **values):
    """Every entry, page by page."""
    entries, before = [], None
    while True:
        page = read_timeline(customer_id=customer.pk, viewer=VIEWER, before=before, **values)
        entries += page.entries
        if page.next is None:
            return entries
        before = Position.parse(str(page.next))


def test_pages_follow_each_other_without_gap_or_repeat(tenant):
    customer = make_customer()
    for hour in range(7):  # Pairs at the same moment, which only their ids tell apart.
        make_activity(customer=customer, occurred_at=NOON + timedelta(hours=hour // 2))
    make_note(customer, created_at=NOON + timedelta(hours=1))
    make_activity()

    entries = whole(customer, limit=2)

    moments = [(entry.at, entry.id) for entry in entries]
    assert len(set(moments)) == 8
    assert moments == sorted(moments, reverse=True)


def test_a_private_note_is_for_its_author_alone(tenant):
    customer = make_customer()
    make_note(customer, content="for all", created_by="user:other")
    make_note(customer, content="mine", is_private=True, created_by=VIEWER)
    make_note(customer, content="theirs", is_private=True, created_by="user:other")

    assert {entry.description for entry in whole(customer)} == {"for all", "mine"}


def test_categories_narrow_it(tenant):
    customer = make_customer()
    make_activity(customer=customer, title="round", category="BOOKING")
    make_activity(customer=customer, title="paid", category="FINANCIAL")
    make_note(customer)

    assert [entry.title for entry in whole(customer, categories=["FINANCIAL"])] == ["paid"]
    assert [entry.kind for entry in whole(customer, categories=["SUPPORT"])] == ["note"]


def test_services_and_words_narrow_it(tenant):
    customer = make_customer()
    make_activity(customer=customer, title="Booked a tee time", source_service="teetime")
    make_activity(
        customer=customer, title="Booked", description="the 7th tee", source_service="scl"
    )
    make_note(customer, content="Tee times before nine. 100%_sure")

    def titles(**values):
        return {entry.title for entry in whole(customer, **values)}

    assert titles(services=["teetime"]) == {"Booked a tee time"}
    assert titles(text="tee BOOKED") == {"Booked a tee time", "Booked"}
    assert titles(text="tee", services=["crm"]) == {"General note"}
    assert titles(text="0%_s") == {"General note"}
    assert titles(text="%") == {"General note"}
    assert titles(text="nobody says this") == set()


def test_what_is_planned_comes_soonest_first(tenant, other_tenant):
    customer = make_customer()
    today = timezone.localdate()
    for days, content in ((9, "later"), (1, "sooner"), (-3, "overdue")):
        make_note(customer, content=content, follow_up_on=today + timedelta(days=days))
    make_note(customer, content="done", follow_up_on=today, done_at=timezone.now())
    make_note(customer, content="theirs", follow_up_on=today, is_private=True,
              created_by="user:other")  # fmt: skip

    coming = read_coming(customer_id=customer.pk, viewer=VIEWER, now=timezone.now())

    assert [entry.description for entry in coming] == ["sooner", "later"]


def test_another_tenants_customer_has_no_timeline_here(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
        make_activity(customer=stranger)
        make_note(stranger)

    assert whole(stranger) == []


def test_a_page_costs_one_query_a_source(tenant):
    customer = make_customer()
    for hour in range(50):
        make_activity(customer=customer, occurred_at=NOON + timedelta(hours=hour))
    CustomerNote.objects.bulk_create(
        CustomerNote(customer=customer, content=str(n), created_by=VIEWER) for n in range(50)
    )

    with CaptureQueriesContext(connection) as queries:
        page = read_timeline(customer_id=customer.pk, viewer=VIEWER)

    assert len(page.entries) == 30
    assert len(queries) == 3  # Activities, notes, and the messages that campaigns know of.


@pytest.mark.parametrize("text", ["", "x", "2026-01-01_x", "2026-01-01T00:00:00_" + "0" * 32])
def test_a_position_of_another_make_is_refused(text):
    with pytest.raises(ValueError, match=None):
        Position.parse(text)
