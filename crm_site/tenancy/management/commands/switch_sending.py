"""The kill switch of the whole installation."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_site.tenancy.services import switch_sending


class Command(BaseCommand):
    help = "Let every club send, or none. Workers ask before each batch, so it holds at once."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("state", choices=["on", "off"])
        parser.add_argument("--reason", default="", help="Why it is off: every club reads it.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = switch_sending(is_enabled=options["state"] == "on", reason=options["reason"])
        self.stdout.write(f"{found}.")
