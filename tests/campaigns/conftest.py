"""Messaging in memory, or as a process of its own with workers beside it."""

import pytest

from crm_site.devstack.sandbox import Sandbox
from crm_site.messaging.gateway import forget_gateway, get_gateway
from tests.campaigns.fleet import Beat, Workers


@pytest.fixture
def gateway(settings):
    settings.MESSAGING_GATEWAY = "crm_site.messaging.memory.MemoryGateway"
    forget_gateway()
    yield get_gateway()
    forget_gateway()


@pytest.fixture
def silent_bell(monkeypatch):
    """No worker listens in these tests: remember who was rung for instead."""
    rung = []
    monkeypatch.setattr("campaigns.tasks.ring", rung.append)
    return rung


@pytest.fixture
def sandbox(tmp_path, settings):
    with Sandbox(tmp_path / "sandbox", faults={"auto_events": False}) as running:
        settings.MESSAGING_GATEWAY = "crm_site.messaging.http.HttpGateway"
        settings.MESSAGING_BASE_URL = running.base_url
        forget_gateway()
        yield running
        forget_gateway()


@pytest.fixture
def workers(tmp_path, sandbox):
    with Workers(tmp_path, sandbox.base_url) as made:
        yield made


@pytest.fixture
def beat(tmp_path, sandbox):
    with Beat(tmp_path, sandbox.base_url) as made:
        yield made
