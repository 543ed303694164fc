"""Open a webhook endpoint from the command line."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crm_site.access.services import AccessError, create_webhook_endpoint
from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant


class Command(BaseCommand):
    help = "Open an address for one source's signed events; printed once, as JSON on the last line."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("tenant")
        parser.add_argument("source", help="scl, teetime or messaging")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Tenant.objects.filter(pk=options["tenant"]).exists():
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        actor = Actor.system("create_webhook_endpoint")
        with tenant_scope(options["tenant"]), acting_as(actor), transaction.atomic():
            try:
                endpoint, secret = create_webhook_endpoint(source=options["source"], actor=actor)
            except AccessError as error:
                raise CommandError(f"{error.path}: {error}") from error
        shown = {
            "endpointId": str(endpoint.pk),
            "url": f"/webhooks/{endpoint.pk}/",
            "secret": secret,
        }
        self.stdout.write(json.dumps(shown))
