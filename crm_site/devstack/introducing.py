"""Telling the sandbox where each tenant's events go, tenants opened later included."""

import logging
import threading
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from crm_site.access.models import WebhookEndpoint
from crm_site.access.services import create_webhook_endpoint
from crm_site.audit.actor import Actor, acting_as
from crm_site.devstack.sandbox import SandboxControl, SandboxError
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant

ACTOR = Actor.system("up")
ROUND_SECONDS = 5.0
logger = logging.getLogger(__name__)


class Introducer(threading.Thread):
    """Looks round every few seconds; a server that is away is simply met the next time."""

    def __init__(self, control: SandboxControl) -> None:
        super().__init__(name="introducer", daemon=True)
        self._control = control
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(ROUND_SECONDS):
            try:
                introduce_tenants(self._control)
            except (DatabaseError, SandboxError) as error:
                logger.debug("Not introduced yet: %s", error)
            finally:
                connection.close()

    def stop(self) -> None:
        self._stopping.set()


def introduce_tenants(control: SandboxControl) -> list[str]:
    """Open an endpoint for each tenant the sandbox has no living one for. Returns their ids."""
    known = control.endpoints()
    introduced = []
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk), acting_as(ACTOR), transaction.atomic():
            if _is_open(known.get(tenant.pk, "")):
                continue
            endpoint, secret = create_webhook_endpoint(source="messaging", actor=ACTOR)
            # Handed over before the commit: what cannot be handed over must not remain.
            control.set_endpoint(tenant.pk, url=f"/webhooks/{endpoint.pk}/", secret=secret)
        introduced.append(tenant.pk)
    return introduced


def _is_open(url: str) -> bool:
    """Whether the address the sandbox holds is an endpoint of the tenant in scope."""
    try:
        endpoint_id = UUID(url.strip("/").rpartition("/")[2])
    except ValueError:
        return False
    return WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).exists()
