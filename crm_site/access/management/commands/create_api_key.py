"""Issue an API key from the command line."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from crm_site.access.services import AccessError, issue_api_key
from crm_site.audit.actor import Actor
from crm_site.audit.commands import TenantCommand


class Command(TenantCommand):
    help = "Issue an API key; the key is printed once, alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")
        parser.add_argument("--scopes", required=True, help="customers:read,events:write")

    def work(self, actor: Actor, options: dict[str, Any]) -> None:
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            with transaction.atomic():
                key, token = issue_api_key(name=options["name"], scopes=scopes, actor=actor)
        except AccessError as error:
            raise CommandError(f"{error.path}: {error}") from error
        self.stdout.write(f"Key {key.prefix} for {', '.join(key.scopes)}. Shown this once:")
        self.stdout.write(token)
