"""What every gateway to Messaging does."""

from dataclasses import replace

import pytest

from crm_site.devstack.sandbox import Sandbox
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import (
    Message,
    Reason,
    Recipient,
    Status,
    UnknownTemplate,
)
from crm_site.messaging.http import HttpGateway
from crm_site.messaging.memory import MemoryGateway

ANN = Recipient("c-ann", email="ann@example.org", phone_number="+27825550101")


def a_message(key="key-1", **changes):
    message = Message(
        key,
        Channel.EMAIL,
        "newsletter-email",
        ANN,
        {"firstName": "Ann", "clubName": "Oakhill"},
        {"campaignId": "campaign-1"},
    )
    return replace(message, **changes)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with Sandbox(tmp_path_factory.mktemp("sandbox"), faults={"auto_events": False}) as running:
        yield running


@pytest.fixture(params=["memory", "http"])
def gateway(request):
    if request.param == "memory":
        return MemoryGateway()
    sandbox = request.getfixturevalue("sandbox")
    sandbox.clear()
    return HttpGateway(sandbox.base_url, sandbox.api_key)


def test_each_message_gets_its_own_result_in_the_order_asked(gateway):
    results = gateway.send_batch(
        "oakhill",
        [
            a_message("key-1"),
            a_message("key-2", to=Recipient("c-ben")),
            a_message("key-3", template_id="no-such-template"),
            a_message("key-4", channel=Channel.SMS, template_id="offer-sms"),
        ],
    )

    assert [(each.idempotency_key, each.status, each.reason) for each in results] == [
        ("key-1", Status.ACCEPTED, None),
        ("key-2", Status.REJECTED, Reason.INVALID_ADDRESS),
        ("key-3", Status.REJECTED, Reason.UNKNOWN_TEMPLATE),
        ("key-4", Status.ACCEPTED, None),
    ]
    assert results[0].message_id
    assert results[0].message_id != results[3].message_id


def test_a_repeated_key_returns_the_first_outcome(gateway):
    first = gateway.send_batch("oakhill", [a_message()])

    again = gateway.send_batch("oakhill", [a_message()])

    assert again == first


def test_a_repeated_key_with_another_body_is_a_conflict(gateway):
    gateway.send_batch("oakhill", [a_message()])

    [result] = gateway.send_batch("oakhill", [a_message(variables={"firstName": "Anna"})])

    assert result.status == Status.CONFLICT
    assert gateway.find_by_key("oakhill", "key-1").status == Status.ACCEPTED


def test_a_key_is_known_to_its_tenant_only(gateway):
    [sent] = gateway.send_batch("oakhill", [a_message("key / ü")])

    assert gateway.find_by_key("oakhill", "key / ü") == sent
    assert gateway.find_by_key("pinecrest", "key / ü") is None
    assert gateway.find_by_key("oakhill", "key-2") is None


def test_an_empty_batch_asks_nothing(gateway):
    assert gateway.send_batch("oakhill", []) == []


def test_a_batch_too_large_is_refused_before_it_is_sent(gateway):
    with pytest.raises(ValueError, match="500"):
        gateway.send_batch("oakhill", [a_message(f"key-{number}") for number in range(501)])


def test_templates_are_listed_by_channel(gateway):
    every, sms = gateway.list_templates("oakhill"), gateway.list_templates("oakhill", Channel.SMS)

    assert {"welcome-email", "offer-sms", "reminder-push"} <= {each.id for each in every}
    assert sms
    assert {each.channel for each in sms} == {Channel.SMS}
    assert "firstName" in next(each for each in sms if each.id == "offer-sms").variables


def test_a_template_is_rendered_with_the_variables(gateway):
    email = gateway.render_template(
        "oakhill", "newsletter-email", {"firstName": "Ann", "clubName": "Oakhill"}
    )
    sms = gateway.render_template("oakhill", "offer-sms", {"firstName": "Ann"})

    assert "Ann" in email.text
    assert "Oakhill" in email.subject
    assert "Ann" in sms.text
    assert sms.subject is None


def test_an_unknown_template_cannot_be_rendered(gateway):
    with pytest.raises(UnknownTemplate):
        gateway.render_template("oakhill", "no such/template", {})


def test_a_segment_is_kept_in_step_however_often_it_is_repeated(gateway):
    for _ in range(2):
        gateway.sync_segment("oakhill", "seg-1", name="Members", add=["c-1", "c-2"])
        gateway.sync_segment("oakhill", "seg-1", name="Members", remove=["c-2"])
