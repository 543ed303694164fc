"""The demo club: believable, the same again for the same seed, and apart from its neighbour."""

from datetime import date

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, F, Q

from campaigns.choices import CampaignInteractionType, CampaignStatus, DeliveryState
from campaigns.models import Campaign, EventPromotion
from crm_site.access.models import User
from crm_site.access.services import tenants_of
from crm_site.devstack.demo.clubs import KINGFISHER, MILKWOOD
from crm_site.devstack.demo.people import make_people
from crm_site.devstack.demo.seeding import is_seeded
from crm_site.devstack.demo.staff import DEMO_EMAIL, DEMO_PASSWORD
from crm_site.devstack.demo.story import tell
from crm_site.tenancy.context import tenant_scope
from customers.choices import SyncStatus
from customers.models import Activity, CustomerProfile, SyncLog
from journeys.models import Journey
from segments.models import CustomerSegment

TODAY = date(2026, 11, 22)


def test_the_same_seed_on_the_same_day_tells_the_same_story():
    def story(seed):
        people = make_people(KINGFISHER, count=60, seed=seed, today=TODAY)
        return people, tell(KINGFISHER, people, today=TODAY)

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_larger_club_begins_with_the_same_people():
    few = make_people(KINGFISHER, count=40, seed=1, today=TODAY)
    many = make_people(KINGFISHER, count=400, seed=1, today=TODAY)

    assert many[:40] == few


def test_the_story_is_of_fourteen_months_and_every_event_has_an_id_of_its_own():
    people = make_people(KINGFISHER, count=200, seed=3, today=TODAY)

    events = tell(KINGFISHER, people, today=TODAY)

    times = [event["time"] for event in events]
    assert times == sorted(times)
    assert "2025-09-27" <= times[0] < "2025-10-11"
    assert times[-1] < "2026-11-22"
    assert len({event["id"] for event in events}) == len(events)


def test_nobody_real_can_be_written_to():
    people = make_people(KINGFISHER, count=500, seed=1, today=TODAY)

    addresses = {person.email.partition("@")[2] for person in people if person.email}
    assert addresses == {"example.com", "example.org"}
    assert all(" 555 " in person.phone for person in people if person.phone)


def test_every_week_somebody_new_is_heard_of():
    people = make_people(KINGFISHER, count=1_000, seed=1, today=TODAY)
    weeks = {}
    for event in tell(KINGFISHER, people, today=TODAY):
        contact = event["data"].get("customer", {}).get("messagingContactId")
        if event["type"] == "contact.linked":
            weeks.setdefault(contact, date.fromisoformat(event["time"][:10]))

    newest = sorted(weeks.values())

    for back in range(1, 53):
        week = [day for day in newest if 7 * (back - 1) < (TODAY - day).days <= 7 * back]
        assert week, f"nobody came {back} weeks ago"


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker):
    """Both demo clubs, small, seeded once for the tests below and taken back after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_demo", customers=60, verbosity=0)
        yield
        transaction.set_rollback(True)


def in_club(club, ask):
    with tenant_scope(club.id), transaction.atomic():
        return ask()


def profiles_by_contact():
    found = CustomerProfile.objects.filter(messaging_contact_id__isnull=False)
    return {
        profile.messaging_contact_id: (
            profile.name,
            profile.email,
            profile.handicap,
            profile.lifetime_value,
            profile.membership_expiry,
            profile.email_opt_in,
            profile.engagement_score,
        )
        for profile in found
    }


def test_the_club_is_whole(seeded):
    def look():
        assert set(SyncLog.objects.values_list("status", flat=True)) == {SyncStatus.SUCCESS}
        people = CustomerProfile.objects.aggregate(
            all=Count("pk"),
            members=Count("pk", filter=Q(membership_status="ACTIVE")),
            players=Count("pk", filter=Q(handicap__isnull=False)),
            payers=Count("pk", filter=Q(lifetime_value__gt=0)),
            reachable=Count("pk", filter=Q(email_opt_in=True)),
        )
        assert 55 <= people["all"] <= 70
        assert min(people.values()) > 10
        assert Activity.objects.count() > 500
        assert CustomerSegment.objects.filter(last_refreshed_at=None).count() == 0
        everybody = CustomerSegment.objects.get(name="All Customers")
        assert everybody.member_count == CustomerProfile.objects.live().count()

    in_club(KINGFISHER, look)


def test_people_are_known_since_the_first_event_about_them(seeded):
    def look():
        known_since = CustomerProfile.objects.dates("created_at", "month")
        assert len(known_since) > 6
        first = SyncLog.objects.filter(customer_id__isnull=False).earliest("occurred_at")
        customer = CustomerProfile.objects.get(pk=first.customer_id)
        assert customer.created_at == first.occurred_at

    in_club(KINGFISHER, look)


def test_campaign_counters_agree_with_their_rows(seeded):
    def look():
        ended = Campaign.objects.filter(status=CampaignStatus.COMPLETED)
        assert ended.count() == 4
        assert {"DRAFT", "SCHEDULED"} < set(Campaign.objects.values_list("status", flat=True))
        for campaign in ended:
            accepted = campaign.deliveries.filter(state=DeliveryState.ACCEPTED).count()
            assert campaign.sent_count == accepted
            for counter, kind in (
                ("delivered_count", CampaignInteractionType.DELIVERED),
                ("opened_count", CampaignInteractionType.OPENED),
                ("clicked_count", CampaignInteractionType.CLICKED),
                ("bounced_count", CampaignInteractionType.BOUNCED),
            ):
                rows = campaign.interactions.filter(type=kind)
                assert getattr(campaign, counter) == rows.values("delivery").distinct().count()
        early = Campaign.objects.filter(interactions__occurred_at__lt=F("started_at"))
        assert not early.exists()

    in_club(KINGFISHER, look)


def test_the_neighbour_sees_none_of_it(seeded):
    contacts = in_club(KINGFISHER, profiles_by_contact)
    neighbours = in_club(MILKWOOD, profiles_by_contact)

    assert neighbours
    assert not contacts.keys() & neighbours.keys()


def test_the_printed_sign_in_opens_both_clubs(seeded):
    owner = User.objects.get(email=DEMO_EMAIL)

    assert owner.check_password(DEMO_PASSWORD)
    assert {tenant.pk for tenant in tenants_of(owner)} == {KINGFISHER.id, MILKWOOD.id}


def test_seeding_again_changes_nothing(seeded, capsys):
    before = in_club(KINGFISHER, profiles_by_contact)

    call_command("seed_demo", customers=500)

    assert "nothing changed" in capsys.readouterr().out
    assert in_club(KINGFISHER, profiles_by_contact) == before


def forget_what_was_made_last():
    Journey.objects.all().delete()
    EventPromotion.objects.all().delete()
    Campaign.objects.exclude(status=CampaignStatus.COMPLETED).delete()


def test_seeding_that_was_cut_short_goes_on_and_ends_the_same(seeded):
    before = in_club(KINGFISHER, profiles_by_contact)
    events = in_club(KINGFISHER, lambda: SyncLog.objects.count())
    in_club(MILKWOOD, forget_what_was_made_last)

    call_command("seed_demo", customers=60)

    assert in_club(KINGFISHER, profiles_by_contact) == before
    assert in_club(KINGFISHER, lambda: SyncLog.objects.count()) == events
    assert is_seeded()
