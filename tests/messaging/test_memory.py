"""What the gateway in memory offers tests beside the contract."""

import pytest

from crm_site.messaging.gateway import (
    MessagingThrottled,
    MessagingUncertain,
    Reason,
    get_gateway,
)
from tests.messaging.test_gateways import a_message


def test_tests_get_the_gateway_in_memory(messaging):
    assert get_gateway() is messaging


def test_a_throttled_batch_is_not_accepted(messaging):
    messaging.throttle_next(retry_after_seconds=7)

    with pytest.raises(MessagingThrottled) as raised:
        messaging.send_batch("oakhill", [a_message()])

    assert raised.value.retry_after_seconds == 7
    assert messaging.inbox == []


@pytest.mark.parametrize(("after_accepting", "accepted"), [(False, 0), (True, 1)])
def test_an_answer_can_be_lost_before_or_after_accepting(messaging, after_accepting, accepted):
    messaging.fail_next(after_accepting=after_accepting)

    with pytest.raises(MessagingUncertain):
        messaging.send_batch("oakhill", [a_message()])
    assert len(messaging.inbox) == accepted

    messaging.send_batch("oakhill", [a_message()])
    assert len(messaging.sent_to("c-ann")) == 1


def test_a_customer_can_be_refused(messaging):
    messaging.refuse("c-ann", Reason.NO_CONSENT)

    [result] = messaging.send_batch("oakhill", [a_message()])

    assert result.reason == Reason.NO_CONSENT
    assert messaging.inbox == []
