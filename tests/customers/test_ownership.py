"""Whose word counts for a field, whatever the order in which events arrive."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from customers.choices import LifecycleStage
from customers.models import Activity, CustomerProfile, IdentityAlias
from customers.services.counters import renew_counters
from customers.services.identity import WRITTEN
from customers.services.profiles import update_profile
from tests.customers.conftest import event
from tests.factories import make_customer

ANN = {"sclMemberId": 1042, "teetimePlayerId": "p-1", "messagingContactId": "c-1"}


def at(day):
    """A moment some days ago; a greater ``day`` is later."""
    return (timezone.now() - timedelta(days=20 - day)).isoformat()


def member(day, kind="member.updated", **customer):
    return event("scl", kind, at(day), customer={**ANN, **customer})


def player(day, **customer):
    return event("teetime", "player.updated", at(day), customer={**ANN, **customer})


def test_names_and_addresses_of_others_fill_blanks_only(tenant, process):
    process(member(1, firstName="Ann"), player(2, firstName="Annie", city="Durban"))

    ann = CustomerProfile.objects.get()
    assert (ann.first_name, ann.city) == ("Ann", "Durban")

    process(member(3, city="Umhlanga"))

    ann.refresh_from_db()
    assert ann.city == "Umhlanga"


def test_nobody_but_its_owner_says_a_membership_or_a_handicap(tenant, process):
    process(
        player(1, membershipTier="Gold"),
        member(1, handicap=3),
        player(2, lifecycleStage="ADVOCATE"),
    )

    ann = CustomerProfile.objects.get()
    assert (ann.membership_tier, ann.handicap) == (None, None)
    assert ann.lifecycle_stage == LifecycleStage.SUBSCRIBER


def test_a_late_event_does_not_undo_a_newer_one(tenant, process):
    process(member(5, membershipTier="Platinum", firstName="Anna"))
    process(member(3, membershipTier="Gold", firstName="Ann", city="Durban"))

    ann = CustomerProfile.objects.get()
    assert (ann.membership_tier, ann.first_name, ann.city) == ("Platinum", "Anna", "Durban")


def test_the_owner_may_say_that_there_is_none(tenant, process):
    process(member(1, membershipExpiry="2027-01-31"), member(2, membershipExpiry=None))

    assert CustomerProfile.objects.get().membership_expiry is None


def test_staffs_word_stands_until_the_owner_has_something_newer(tenant, process, actor):
    process(member(5, city="Durban"))
    ann = CustomerProfile.objects.get()
    update_profile(customer_id=ann.pk, values={"city": "Ballito"}, actor=actor)

    process(member(4, city="Pinetown"), player(6, city="Kloof"))
    ann.refresh_from_db()
    assert ann.city == "Ballito"

    process(member(7, city="Hilton"))
    ann.refresh_from_db()
    assert ann.city == "Hilton"


@pytest.mark.parametrize(
    ("kinds", "stage"),
    [
        (["player.updated"], LifecycleStage.SUBSCRIBER),
        (["booking.created"], LifecycleStage.CUSTOMER),
        (["payment.received"], LifecycleStage.CUSTOMER),
        (["member.created"], LifecycleStage.MEMBER),
        (["member.created", "member.lapsed"], LifecycleStage.CHURNED),
        (["member.created", "member.resigned", "booking.created"], LifecycleStage.CHURNED),
        (["member.lapsed", "member.renewed"], LifecycleStage.MEMBER),
        (["booking.created", "member.created", "payment.received"], LifecycleStage.MEMBER),
    ],
)
def test_the_stage_follows_membership_and_first_business(tenant, process, kinds, stage):
    data = {
        "member.created": {"membershipStatus": "ACTIVE"},
        "payment.received": {"amount": 100, "currency": "ZAR"},
    }
    for day, kind in enumerate(kinds):
        source = "scl" if kind.startswith(("member", "payment")) else "teetime"
        process(event(source, kind, at(day), customer=ANN, **data.get(kind, {})))

    assert CustomerProfile.objects.get().lifecycle_stage == stage


def test_money_is_exact_under_repeats_refunds_and_totals(tenant, process):
    def paid(day, amount, kind="payment.received"):
        return event("scl", kind, at(day), customer=ANN, amount=amount, currency="ZAR")

    total = member(5, lifetimeValue=10_000)
    events = [paid(3, 999), total, paid(6, 100), paid(7, 40, "payment.refunded"), paid(4, 5)]
    for order in (events, [], events):  # Each again: they are known.
        process(*order)

    assert CustomerProfile.objects.get().lifetime_value == Decimal(10_060)


def test_a_cancelled_booking_does_not_count_as_one(tenant, process):
    process(
        event("teetime", "booking.cancelled", at(6), customer=ANN, bookingId="B-1"),
        event("teetime", "booking.created", at(5), customer=ANN, bookingId="B-1"),
        event("teetime", "booking.created", at(4), customer=ANN, bookingId="B-2"),
    )

    ann = CustomerProfile.objects.get()
    assert (ann.booking_count_30d, ann.activity_count_30d) == (1, 3)
    assert ann.last_booking_at.isoformat()[:10] == at(5)[:10]


def test_counters_move_on_as_time_passes(tenant, process):
    process(event(customer=ANN), event(customer=ANN))
    idle = make_customer()

    moved = renew_counters(now=timezone.now() + timedelta(days=40))

    ann = CustomerProfile.objects.get(scl_member_id=1042)
    assert moved == 1
    assert (ann.activity_count_30d, ann.activity_count_90d, ann.booking_count_90d) == (0, 2, 2)
    assert renew_counters(now=timezone.now() + timedelta(days=40)) == 0
    idle.refresh_from_db()
    assert idle.activity_count_90d == 0


def test_what_we_send_is_nothing_they_did(tenant, process):
    said = {"customer": ANN, "channel": "EMAIL", "messageId": "m-1"}
    process(event("messaging", "message.sent", at(1), **said))
    ann = CustomerProfile.objects.get()
    assert (ann.last_activity_at, ann.activity_count_30d) == (None, 0)

    process(event("messaging", "message.opened", at(2), **said))
    ann.refresh_from_db()
    assert (ann.last_activity_type, ann.activity_count_30d) == ("MESSAGE_OPENED", 1)


def life():
    """Half a year of one person, from all three services, with every kind of clash."""
    yield member(1, "member.created", firstName="Ann", city="Durban", membershipStatus="ACTIVE",
                 membershipTier="Gold", email="ann@example.org")  # fmt: skip
    yield player(2, firstName="Annie", lastName="Lee", city="Kloof", email="annie@example.org")
    yield member(3, firstName="Anna", membershipTier="Silver")
    yield player(4, homeClubName="Oakhill", handicap=14.2, phoneNumber="0825550101")
    yield member(5, lastName="Leigh", membershipExpiry="2027-01-31", phoneNumber="0825550102")
    yield event("scl", "member.tierChanged", at(6), customer=ANN, to="Platinum")
    yield event("scl", "member.lapsed", at(7), customer=ANN)
    yield event("teetime", "handicap.updated", at(8), customer=ANN, handicap=13.1)
    yield event("teetime", "handicap.updated", at(9), customer=ANN, handicap=12.9)
    yield event("teetime", "booking.created", at(10), customer=ANN, bookingId="B-1")
    yield event("teetime", "booking.cancelled", at(11), customer=ANN, bookingId="B-1")
    yield event("teetime", "booking.created", at(12), customer=ANN, bookingId="B-2")
    yield event("scl", "payment.received", at(13), customer=ANN, amount=500, currency="ZAR")
    yield event("scl", "payment.received", at(15), customer=ANN, amount=70, currency="ZAR")
    yield member(14, lifetimeValue=9_000)
    for day, allowed in ((10, True), (12, False), (11, True)):
        yield event("messaging", "contactPreference.updated", at(day), customer=ANN,
                    channel="EMAIL", optedIn=allowed, changedAt=at(day))  # fmt: skip
    said = {"customer": ANN, "channel": "EMAIL", "messageId": "m-1"}
    yield event("messaging", "message.opened", at(16), **said)
    yield event("messaging", "message.clicked", at(17), **said)
    yield event("messaging", "message.sent", at(18), **said)


def picture():
    """All we hold of the one customer, but for ids and the moments of writing."""
    ann = CustomerProfile.objects.get()
    shown = {name: getattr(ann, name) for name in WRITTEN if name != "source_times"}
    consent = (ann.email_opt_in, ann.email_opt_in_at, ann.email_consent_changed_at)
    aliases = sorted(IdentityAlias.objects.values_list("type", "value"))
    return shown, consent, aliases, sorted(Activity.objects.values_list("type", "title"))


@pytest.mark.parametrize("seed", range(6))
def test_events_in_any_order_and_any_batches_end_in_one_picture(tenant, process, seed):
    from django.db import transaction

    events, pictures = list(life()), []
    chance = random.Random(seed)
    for round_number in range(2):
        with transaction.atomic():
            if round_number:
                chance.shuffle(events)
            rest = list(events)
            while rest:
                size = chance.randint(1, len(rest))
                rows = process(*rest[:size])
                assert {row.status for row in rows} == {"SUCCESS"}, [row.error for row in rows]
                rest = rest[size:]
            pictures.append(picture())
            transaction.set_rollback(True)

    assert pictures[0] == pictures[1]
