"""A segment with people in it, and Messaging in memory."""

import pytest

from crm_site.messaging.gateway import forget_gateway, get_gateway


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
