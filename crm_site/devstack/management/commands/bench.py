"""Measure the sizes that matter against hand-written SQL."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_site.audit.actor import acting_as
from crm_site.devstack import stack
from crm_site.devstack.bench import report
from crm_site.devstack.bench.dataset import ACTOR, TENANT, Size, ensure_dataset
from crm_site.devstack.bench.following import membership_at_once
from crm_site.devstack.bench.inflow import events_in_batches
from crm_site.devstack.bench.measuring import seconds
from crm_site.devstack.bench.pages import pages
from crm_site.devstack.bench.questions import (
    activity_count,
    five_rule_preview,
    hundred_unchanged,
)
from crm_site.devstack.bench.refreshes import first_fill, unchanged_refresh
from crm_site.devstack.bench.responses import response_pages
from crm_site.devstack.bench.scores import value_table
from crm_site.devstack.bench.sending import dispatch, interactions, snapshot
from crm_site.tenancy.context import tenant_scope


class Command(BaseCommand):
    help = "Build a tenant of a million customers and print how fast we are beside bare SQL."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--scale", type=float, default=1.0, help="0.1: a tenth of the rows.")
        parser.add_argument("--runs", type=int, default=5, help="Turns of ours and of the floor.")
        parser.add_argument("--seconds", type=int, default=20, help="Of events at 200 a second.")
        parser.add_argument("--requests", type=int, default=40, help="Requests of each page.")

    def handle(self, *args: Any, **options: Any) -> None:
        size, runs = Size(options["scale"]), options["runs"]
        stack.migrate()
        stack.collect_static()
        self.stdout.write(f"Building {size.customers:,} customers …")
        taken = seconds(lambda: ensure_dataset(size))
        self.stdout.write(f"Ready after {taken:.0f} s.\n\n")
        for line in report.heading(size):
            self.stdout.write(line)
        self.stdout.write("")
        with tenant_scope(TENANT), acting_as(ACTOR):
            comparisons = [
                unchanged_refresh(runs),
                first_fill(runs),
                five_rule_preview(runs),
                activity_count(runs),
                hundred_unchanged(max(1, runs // 2)),
                events_in_batches(size, runs),
                snapshot(size, runs),
                *dispatch(size, runs),
                interactions(size, runs),
            ]
            latencies = [membership_at_once(size, seconds=options["seconds"])]
        for line in report.comparison_table(comparisons):
            self.stdout.write(line)
        self.stdout.write("")
        for line in report.latency_table(latencies):
            self.stdout.write(line)
        self.stdout.write("")
        times = options["requests"]
        for line in report.page_table([*pages(size, times=times), *response_pages(times=times)]):
            self.stdout.write(line)
        self.stdout.write("")
        for line in value_table():
            self.stdout.write(line)
