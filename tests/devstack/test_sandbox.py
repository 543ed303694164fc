"""What the Messaging sandbox does beside answering its callers."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from crm_site.devstack.sandbox import Sandbox
from crm_site.messaging.gateway import Reason, Status
from crm_site.messaging.http import HttpGateway
from tests.messaging.test_gateways import a_message

SECRET = "whsec_" + "c2FuZGJveC1zZWNyZXQ="
EVERYTHING = {"bounced": 0, "opened": 1, "clicked": 1, "unsubscribed": 1, "complained": 0}
EAGER = {"speed": 1000, "rates": EVERYTHING}


class Receiver(ThreadingHTTPServer):
    """Fairway's webhook door, as far as the sandbox sees it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.events, self.answers = [], []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for(self, type):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [event for event in self.events if event["type"] == type]
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"no {type} among {[event['type'] for event in self.events]}")


class ReceiverHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 202
        if status == 202:
            self.server.events += Webhook(SECRET).verify(body, dict(self.headers))
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def start(tmp_path):
    started = []

    def run(**options):
        started.append(Sandbox(tmp_path / "sandbox", **options))
        return started[-1]

    yield run
    for sandbox in started:
        sandbox.close()
        sandbox.stop()


def test_what_came_of_a_message_is_told_signed_and_in_order(start, receiver):
    sandbox = start(fairway_url=receiver.url, faults=EAGER)
    sandbox.set_endpoint("oakhill", url="/webhooks/1/", secret=SECRET)

    [result] = HttpGateway(sandbox.base_url, "sandbox").send_batch("oakhill", [a_message()])

    [told] = receiver.wait_for("contactPreference.updated")
    about_it = [event for event in receiver.events if event["type"].startswith("message.")]
    assert [event["type"] for event in about_it] == [
        "message.sent",
        "message.delivered",
        "message.opened",
        "message.clicked",
        "message.unsubscribed",
    ]
    assert {event["data"]["messageId"] for event in about_it} == {result.message_id}
    assert all(event["data"]["metadata"] == {"campaignId": "campaign-1"} for event in about_it)
    assert told["tenantid"] == "oakhill"
    assert told["data"]["customer"]["email"] == "ann@example.org"
    assert (told["data"]["channel"], told["data"]["optedIn"]) == ("EMAIL", False)


def test_events_wait_for_an_endpoint_a_restart_and_a_door_that_opens(start, receiver):
    first = start(fairway_url=receiver.url, faults=EAGER)
    HttpGateway(first.base_url, "sandbox").send_batch("oakhill", [a_message()])
    first.kill()
    receiver.answers = [503, 401]

    second = start(fairway_url=receiver.url, faults=EAGER)
    second.set_endpoint("oakhill", url="/webhooks/1/", secret=SECRET)

    assert len(receiver.wait_for("message.sent")) == 1
    assert receiver.answers == []
    assert len(second.inbox("oakhill")) == 1


def test_a_held_answer_is_in_progress_until_released(start):
    sandbox = start(faults={"auto_events": False, "hold_after_accepting": True})
    gateway = HttpGateway(sandbox.base_url, "sandbox")
    answers = []
    caller = threading.Thread(
        target=lambda: answers.extend(gateway.send_batch("oakhill", [a_message()]))
    )
    caller.start()
    while not sandbox.state()["held"]:
        time.sleep(0.02)

    meanwhile = gateway.find_by_key("oakhill", "key-1")
    sandbox.release()
    caller.join(timeout=5)

    assert meanwhile.status == Status.IN_PROGRESS
    assert [result.status for result in answers] == [Status.ACCEPTED]
    assert len(sandbox.inbox()) == 1


def test_a_forgotten_key_is_another_message(start):
    sandbox = start(faults={"auto_events": False, "key_horizon_seconds": 0})
    gateway = HttpGateway(sandbox.base_url, "sandbox")

    for _ in range(2):
        gateway.send_batch("oakhill", [a_message()])

    assert gateway.find_by_key("oakhill", "key-1") is None
    assert len(sandbox.inbox()) == 2
    assert len({attempt["body_hash"] for attempt in sandbox.attempts()}) == 1


def test_the_inbox_shows_the_message_and_lets_its_recipient_leave(start, receiver):
    sandbox = start(fairway_url=receiver.url, faults={"auto_events": False})
    sandbox.set_endpoint("oakhill", url="/webhooks/1/", secret=SECRET)
    gateway = HttpGateway(sandbox.base_url, "sandbox")
    message = a_message(variables={"firstName": "<b>Ann</b>"})
    [result] = gateway.send_batch("oakhill", [message])

    listed = httpx.get(f"{sandbox.base_url}/?tenant=oakhill").text
    elsewhere = httpx.get(f"{sandbox.base_url}/?tenant=pinecrest").text
    shown = httpx.get(f"{sandbox.base_url}/messages/{result.message_id}").text
    sandbox.simulate(result.message_id, "unsubscribe")

    assert "ann@example.org" in listed
    assert "ann@example.org" not in elsewhere
    assert "<b>Ann" not in shown
    assert receiver.wait_for("contactPreference.updated")
    [refused] = gateway.send_batch("oakhill", [a_message("key-2")])
    assert refused.reason == Reason.NO_CONSENT


def test_an_unknown_knob_and_a_malformed_batch_are_refused(start):
    sandbox = start()
    headers = {"Authorization": "Bearer sandbox", "X-Tenant-Id": "oakhill"}

    knob = httpx.put(f"{sandbox.base_url}/_sandbox/faults", json={"speeed": 1}, headers=headers)
    batch = httpx.post(
        f"{sandbox.base_url}/v1/messages:batch",
        content=json.dumps({"messages": [{"idempotencyKey": "k"}]}),
        headers=headers,
    )

    assert (knob.status_code, batch.status_code) == (400, 400)
    assert "messages[0].templateId" in batch.json()["detail"]
