"""Open a tenant from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_site.tenancy.services import TenantError, create_tenant


class Command(BaseCommand):
    help = "Open a tenant (a club or group of clubs) with its system segments."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("slug", help="Its id in addresses and events: oakhill")
        parser.add_argument("--name", required=True)
        parser.add_argument("--timezone", required=True, help="IANA name: Africa/Johannesburg")
        parser.add_argument("--currency", required=True, help="ISO 4217: ZAR")
        parser.add_argument(
            "--country",
            default="",
            help="ISO 3166-1; reads local phone numbers. By default the time zone's country.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = create_tenant(
                tenant_id=options["slug"],
                name=options["name"],
                time_zone=options["timezone"],
                currency=options["currency"],
                country=options["country"],
            )
        except TenantError as error:
            raise CommandError(f"{error.path}: {error}") from error
        self.stdout.write(f"Opened {tenant.name} at /{tenant.pk}/admin/.")
