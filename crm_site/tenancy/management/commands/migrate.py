"""Django's migrate, as the role that owns the tables, and what must follow it."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections, transaction

from crm_site.tenancy.policies import ensure_policies
from crm_site.tenancy.roles import ensure_runtime_role


class Command(migrate.Command):
    help = "Bring the tables up to date as the owner role; create the runtime role and policies."

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        owner = connections[options["database"]]
        runtime = connections["default"].settings_dict
        with transaction.atomic(using=options["database"]):
            # Two migrates at once would trip over each other's grants.
            with owner.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fairway.migrate'))")
            tables = ensure_policies(owner)
            ensure_runtime_role(owner, runtime["USER"], runtime["PASSWORD"])
        if options["verbosity"] > 0:
            self.stdout.write(f"Row-level security on {len(tables)} tables.")
