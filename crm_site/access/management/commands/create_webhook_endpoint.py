"""Open a webhook endpoint from the command line."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from crm_site.access.services import AccessError, create_webhook_endpoint
from crm_site.audit.actor import Actor
from crm_site.audit.commands import TenantCommand


class Command(TenantCommand):
    help = "Open an address for one source's signed events; printed once, as JSON on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("source", help="scl, teetime or messaging")

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        try:
            with transaction.atomic():
                endpoint, secret = create_webhook_endpoint(source=options["source"], actor=actor)
        except AccessError as error:
            raise CommandError(f"{error.path}: {error}") from error
        shown = {
            "endpointId": str(endpoint.pk),
            "url": f"/webhooks/{endpoint.pk}/",
            "secret": secret,
        }
        self.stdout.write(json.dumps(shown))
