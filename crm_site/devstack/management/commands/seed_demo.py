"""Fill a fresh installation with a believable golf club."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_site.devstack.demo.seeding import is_seeded, seed
from crm_site.devstack.demo.staff import DEMO_EMAIL, DEMO_PASSWORD


class Command(BaseCommand):
    help = "Make the demo clubs: people, a year of golf, campaigns with results, and a sign-in."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--customers", type=int, default=2_000, help="People of the main club.")
        parser.add_argument("--seed", type=int, default=1, help="Another number, another club.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["customers"] < 1:
            raise CommandError("--customers must be at least 1.")
        if is_seeded():
            self.stdout.write(f"The demo is there already; nothing changed. {self._sign_in()}")
            return
        started = time.monotonic()
        seed(customers=options["customers"], seed=options["seed"], tell=self._tell)
        taken = time.monotonic() - started
        self.stdout.write(f"The demo is ready after {taken:.0f} s. {self._sign_in()}")

    def _sign_in(self) -> str:
        return f"Sign in as {DEMO_EMAIL} with {DEMO_PASSWORD}."

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
