"""Issue an API key from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from crm_site.access.services import AccessError, issue_api_key
from crm_site.audit.actor import Actor, acting_as
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant


class Command(BaseCommand):
    help = "Issue an API key; the key is printed once, alone on the last line."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("tenant")
        parser.add_argument("name")
        parser.add_argument("--scopes", required=True, help="customers:read,events:write")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Tenant.objects.filter(pk=options["tenant"]).exists():
            raise CommandError(f"There is no tenant {options['tenant']!r}.")
        actor = Actor.system("create_api_key")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        with tenant_scope(options["tenant"]), acting_as(actor), transaction.atomic():
            try:
                key, token = issue_api_key(name=options["name"], scopes=scopes, actor=actor)
            except AccessError as error:
                raise CommandError(f"{error.path}: {error}") from error
        self.stdout.write(f"Key {key.prefix} for {', '.join(key.scopes)}. Shown this once:")
        self.stdout.write(token)
