"""Recorded events of every source come in through the real webhook."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction

from customers.choices import LifecycleStage, SyncStatus
from customers.models import Activity, CustomerProfile, SyncLog
from customers.sync.processing import lock_processing, process_batch
from tests.customers.conftest import PAYLOADS, payload

TITLES = {
    "member.created": ("MEMBERSHIP_CREATED", "MEMBERSHIP", "Became a member: Gold"),
    "member.updated": ("MEMBERSHIP_UPDATED", "MEMBERSHIP", "Membership details updated"),
    "member.tierChanged": (
        "MEMBERSHIP_TIER_CHANGED",
        "MEMBERSHIP",
        "Moved from Gold to Platinum",
    ),
    "member.renewed": (
        "MEMBERSHIP_RENEWED",
        "MEMBERSHIP",
        "Renewed membership until 28 February 2025",
    ),
    "member.lapsed": ("MEMBERSHIP_LAPSED", "MEMBERSHIP", "Membership lapsed on 5 November 2024"),
    "member.resigned": (
        "MEMBERSHIP_RESIGNED",
        "MEMBERSHIP",
        "Resigned membership on 6 November 2024",
    ),
    "payment.received": ("PAYMENT_RECEIVED", "FINANCIAL", "Paid ZAR 1,250.00"),
    "payment.refunded": ("PAYMENT_REFUNDED", "FINANCIAL", "Was refunded ZAR 250.00"),
    "booking.created": ("TEETIME_BOOKED", "BOOKING", "Booked a tee time at Oakhill Main"),
    "booking.cancelled": ("TEETIME_CANCELLED", "BOOKING", "Cancelled a tee time at Oakhill Main"),
    "booking.completed": ("ROUND_PLAYED", "BOOKING", "Played a round at Oakhill Main"),
    "handicap.updated": ("HANDICAP_UPDATED", "GOLF", "Handicap is now 12.4"),
    "competition.entered": ("COMPETITION_ENTERED", "GOLF", "Entered Captain's Cup"),
    "competition.result": ("COMPETITION_RESULT", "GOLF", "Finished 2nd in Captain's Cup"),
    "contactPreference.updated": ("CONSENT_CHANGED", "COMMUNICATION", "Agreed to e-mail"),
    "message.sent": ("MESSAGE_SENT", "COMMUNICATION", "Was sent an e-mail"),
    "message.delivered": ("MESSAGE_DELIVERED", "COMMUNICATION", "Received an e-mail"),
    "message.bounced": (
        "MESSAGE_BOUNCED",
        "COMMUNICATION",
        "An e-mail could not be delivered",
    ),
    "message.opened": ("MESSAGE_OPENED", "ENGAGEMENT", "Opened an e-mail"),
    "message.clicked": ("MESSAGE_CLICKED", "ENGAGEMENT", "Clicked a link in an e-mail"),
    "message.unsubscribed": ("MESSAGE_UNSUBSCRIBED", "COMMUNICATION", "Unsubscribed from e-mail"),
    "message.complained": ("MESSAGE_COMPLAINED", "COMMUNICATION", "Reported an e-mail as spam"),
    "message.replied": ("MESSAGE_REPLIED", "COMMUNICATION", "Replied to an e-mail"),
}
FILES = sorted((path.parent.name, path.stem) for path in PAYLOADS.glob("*/*.json"))


NOW = datetime(2024, 11, 23, tzinfo=UTC)


def run():
    with transaction.atomic():
        lock_processing()
        # Whatever the clock says, the recorded events are due and recent.
        SyncLog.objects.update(next_attempt_at=NOW)
        return process_batch(now=NOW)


@pytest.mark.parametrize(("source", "name"), FILES)
def test_each_kind_of_event_leaves_its_line_on_the_timeline(door, source, name):
    answer = door(source).send(payload(source, name))
    run()

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    row = SyncLog.objects.get()
    if name in ("competition.published", "competition.updated", "competition.cancelled"):
        assert (row.status, CustomerProfile.objects.count()) == (SyncStatus.SKIPPED, 0)
        return
    assert (row.status, row.error) == (SyncStatus.SUCCESS, None)
    assert CustomerProfile.objects.get().pk == row.customer_id
    lines = list(Activity.objects.values_list("type", "category", "title", "source_event_id"))
    assert lines == ([(*TITLES[name], row.event_id)] if name in TITLES else [])


@pytest.mark.parametrize(
    ("tee_time", "day_type"),
    [
        ("2024-11-23T00:10:00+02:00", "weekend"),  # Friday by UTC, Saturday at the club.
        ("2024-11-24T23:50:00+02:00", "weekend"),
        ("2024-11-25T07:10:00+02:00", "weekday"),
    ],
)
def test_a_booking_knows_whether_its_day_is_a_weekend_at_the_club(door, tee_time, day_type):
    event = payload("teetime", "booking.created")
    event["data"]["teeTime"] = tee_time

    door("teetime").send(event)
    run()

    assert Activity.objects.get().metadata["dayType"] == day_type


def test_a_whole_life_adds_up_on_one_profile(door):
    doors = {source: door(source) for source in ("scl", "teetime", "messaging")}
    for source, name in FILES:
        doors[source].send(payload(source, name))

    run()

    ann = CustomerProfile.objects.get()
    assert (ann.email, ann.phone_number) == ("ann@example.org", "+27825550101")
    assert (ann.first_name, ann.city, ann.country) == ("Ann", "Umhlanga", "ZA")
    assert (ann.membership_tier, ann.membership_status) == ("Platinum", "RESIGNED")
    assert (ann.lifecycle_stage, ann.lifetime_value) == (LifecycleStage.CHURNED, Decimal(100_000))
    assert (ann.handicap, ann.handicap_provider) == (Decimal("12.4"), "GolfRSA")
    assert (ann.home_club_name, ann.messaging_contact_id) == ("Oakhill Golf Club", "mc-42")
    assert (ann.email_opt_in, ann.sms_opt_in) == (True, False)
    assert ann.email_opt_in_at == ann.email_consent_changed_at
    assert ann.external_ids == {"golfRsaId": "2710045"}
    assert ann.last_email_open_at == ann.last_email_click_at is not None
    assert (ann.booking_count_90d, str(ann.last_booking_at.date())) == (1, "2024-11-11")
