"""Opt-in flags follow Messaging's word, and nobody else's."""

from datetime import UTC, datetime

import pytest

from customers.choices import ActivityCategory
from customers.models import Activity, CustomerProfile
from customers.services.facts import FactError
from customers.services.profiles import create_profile, update_profile
from customers.signals import consent_changed
from tests.customers.conftest import event
from tests.factories import make_customer


def preference(allowed, changed_at, channel="SMS"):
    return event(
        "messaging",
        "contactPreference.updated",
        customer={"messagingContactId": "c-1"},
        channel=channel,
        optedIn=allowed,
        changedAt=changed_at,
        source="preference-centre",
    )


@pytest.fixture
def heard():
    calls = []

    def listen(sender, profile, channel, allowed, **kwargs):
        calls.append((profile.pk, channel, allowed))

    consent_changed.connect(listen)
    yield calls
    consent_changed.disconnect(listen)


def test_the_newest_word_counts_and_is_told_once(tenant, process, heard):
    process(preference(True, "2024-03-01T00:00:00Z"))
    process(preference(False, "2024-02-01T00:00:00Z"), preference(True, "2024-03-01T00:00:00Z"))

    ann = CustomerProfile.objects.get()
    assert (ann.sms_opt_in, ann.sms_opt_in_at) == (True, datetime(2024, 3, 1, tzinfo=UTC))
    assert heard == [(ann.pk, "SMS", True)]

    process(preference(False, "2024-04-01T00:00:00Z"))

    ann.refresh_from_db()
    assert (ann.sms_opt_in, ann.sms_opt_in_at) == (False, None)
    assert heard[1:] == [(ann.pk, "SMS", False)]
    assert Activity.objects.filter(category=ActivityCategory.COMMUNICATION).count() == 4


def test_of_two_words_at_one_moment_the_withdrawal_counts(tenant, process):
    same = "2024-03-01T00:00:00Z"

    process(preference(False, same), preference(True, same))

    assert CustomerProfile.objects.get().sms_opt_in is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "SOCIAL"}, "data.channel"),
        ({"channel": "FAX"}, "data.channel"),
        ({"optedIn": "yes"}, "data.optedIn"),
        ({"changedAt": "2024-03-01"}, "data.changedAt"),
        ({"changedAt": None}, "data.changedAt"),
    ],
)
def test_an_unclear_preference_changes_nothing(tenant, process, change, field):
    sent = preference(True, "2024-03-01T00:00:00Z")
    sent["data"] |= change

    [row] = process(sent)

    assert row.status == "FAILED"
    assert row.error.startswith(field)
    assert CustomerProfile.objects.count() == 0


def test_another_source_cannot_opt_anybody_in(tenant, process):
    process(event("scl", "member.updated", customer={"sclMemberId": 1, "emailOptIn": True}))

    assert CustomerProfile.objects.get().email_opt_in is False


def test_staff_and_integrators_cannot_either(tenant, actor):
    ann = make_customer()

    for write in (
        lambda: create_profile(values={"first_name": "Ben", "email_opt_in": True}, actor=actor),
        lambda: update_profile(customer_id=ann.pk, values={"sms_opt_in": True}, actor=actor),
    ):
        with pytest.raises(FactError, match="Messaging"):
            write()
