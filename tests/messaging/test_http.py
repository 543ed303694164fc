"""What the HTTP gateway makes of a service that fails."""

import socket

import pytest

from crm_site.devstack.sandbox import Sandbox
from crm_site.messaging.gateway import (
    MessagingRefused,
    MessagingThrottled,
    MessagingUncertain,
    MessagingUnreachable,
    Status,
)
from crm_site.messaging.http import HttpGateway
from tests.messaging.test_gateways import a_message

NO_FAULTS = {
    "unavailable_rate": 0,
    "throttle_rate": 0,
    "error_after_rate": 0,
    "silence_after_rate": 0,
    "silence_seconds": 2,
    "reset_after_rate": 0,
    "lookup_unavailable_rate": 0,
    "retry_after_seconds": 7,
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Sandbox(tmp_path_factory.mktemp("sandbox"), faults={"auto_events": False}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.clear()
    running.set_faults(**NO_FAULTS)
    return running


@pytest.fixture
def gateway(sandbox):
    return HttpGateway(sandbox.base_url, sandbox.api_key, timeout_seconds=1)


def test_slow_down_accepts_nothing_and_says_how_long(sandbox, gateway):
    sandbox.set_faults(throttle_rate=1)

    with pytest.raises(MessagingThrottled) as raised:
        gateway.send_batch("oakhill", [a_message()])

    assert raised.value.retry_after_seconds == 7
    assert sandbox.inbox() == []


def test_unavailable_promises_nothing_either_way(sandbox, gateway):
    sandbox.set_faults(unavailable_rate=1)

    with pytest.raises(MessagingUncertain) as raised:
        gateway.send_batch("oakhill", [a_message()])

    assert raised.value.retry_after_seconds == 7


@pytest.mark.parametrize("fault", ["error", "silence", "reset"])
def test_an_answer_lost_after_accepting_is_settled_by_the_key(sandbox, gateway, fault):
    sandbox.set_faults(**{f"{fault}_after_rate": 1})
    with pytest.raises(MessagingUncertain):
        gateway.send_batch("oakhill", [a_message()])
    sandbox.set_faults(**{f"{fault}_after_rate": 0})

    found = gateway.find_by_key("oakhill", "key-1")
    [again] = gateway.send_batch("oakhill", [a_message()])

    assert found == again
    assert again.status == Status.ACCEPTED
    assert [message["key"] for message in sandbox.inbox()] == ["key-1"]


def test_a_lookup_that_fails_is_not_taken_for_never_accepted(sandbox, gateway):
    sandbox.set_faults(lookup_unavailable_rate=1)

    with pytest.raises(MessagingUncertain):
        gateway.find_by_key("oakhill", "key-1")


def test_a_wrong_token_is_refused_for_good(sandbox):
    gateway = HttpGateway(sandbox.base_url, "another")

    with pytest.raises(MessagingRefused) as raised:
        gateway.send_batch("oakhill", [a_message()])

    assert raised.value.status_code == 401


def test_nobody_listening_means_nothing_was_accepted():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    gateway = HttpGateway(f"http://127.0.0.1:{port}", "sandbox")

    with pytest.raises(MessagingUnreachable):
        gateway.send_batch("oakhill", [a_message()])


def test_every_id_of_a_large_segment_arrives(sandbox, gateway):
    ids = [f"c-{number:05}" for number in range(10_001)]

    gateway.sync_segment("oakhill", "seg/1", name="Everybody", add=ids, remove=["c-00000"])

    assert sandbox.segment_members("oakhill", "seg/1") == ids[1:]
    assert sandbox.segment_members("pinecrest", "seg/1") == []
