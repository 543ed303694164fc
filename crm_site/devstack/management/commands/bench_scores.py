"""Print how well predicted value does on CDNOW, and how long scoring takes."""

import resource
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from crm_site.audit.actor import acting_as
from crm_site.devstack import stack
from crm_site.devstack.bench.dataset import ACTOR, TENANT, Size, ensure_dataset
from crm_site.devstack.bench.measuring import seconds
from crm_site.devstack.bench.scores import value_table
from crm_site.tenancy.context import tenant_scope


class Command(BaseCommand):
    help = "Print how well predicted value does on CDNOW; with --scale, time scoring as well."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--scale", type=float, default=0, help="1: a million customers; 0: none."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for line in value_table():
            self.stdout.write(line)
        if options["scale"]:
            self._time(Size(options["scale"]))

    def _time(self, size: Size) -> None:
        from customers.services.score_training import train_models
        from customers.services.scoring import score_customers

        stack.migrate()
        ensure_dataset(size)
        now = timezone.now()
        self.stdout.write(f"\n| {size.customers:,} customers | seconds |\n|---|--:|")
        with tenant_scope(TENANT), acting_as(ACTOR):
            for name, work in (
                ("learning", lambda: train_models(now=now)),
                ("scoring everybody, first time", lambda: score_customers(now=now)),
                ("scoring everybody, nothing changed", lambda: score_customers(now=now)),
            ):
                self.stdout.write(f"| {name} | {seconds(work):.0f} |")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.stdout.write(f"| peak memory | {peak:,.0f} MiB |")
