"""The result as tables that can be pasted into docs/benchmarks.md."""

import os
import platform
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import django
from django.db import connection

from crm_site.devstack.bench.dataset import Size
from crm_site.devstack.bench.measuring import Comparison, Latency, Page


def heading(size: Size) -> Iterator[str]:
    """When, on what, and how much."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f}"
    yield f"{os.cpu_count()} cores ({_processor()}), {_memory_gib():.0f} GiB"
    yield f"PostgreSQL {postgres}, Python {platform.python_version()}, Django {django.__version__}"
    yield f"{size.customers:,} customers, {size.activities:,} activities (scale {size.scale:g})"


def comparison_table(comparisons: Iterable[Comparison]) -> Iterator[str]:
    yield "| work | ours | floor | ratio | limit | | |"
    yield "|---|--:|--:|--:|--:|---|---|"
    for each in comparisons:
        yield (
            f"| {each.name} | {_figure(each.ours, each.units)} "
            f"| {_figure(each.floor, each.units)} | {each.ratio:.2f} | {each.limit:.2f} "
            f"| {'ok' if each.is_met else 'OVER'} | {each.note} |"
        )


def latency_table(latencies: Iterable[Latency]) -> Iterator[str]:
    yield "| work | median | p99 | limit | | |"
    yield "|---|--:|--:|--:|---|---|"
    for each in latencies:
        yield (
            f"| {each.name} | {each.p50:.2f} s | {each.p99:.2f} s | {each.limit:.2f} s "
            f"| {'ok' if each.is_met else 'OVER'} | {each.note} |"
        )


def page_table(pages: Iterable[Page]) -> Iterator[str]:
    yield "| page | median | p95 | queries |"
    yield "|---|--:|--:|--:|"
    for page in pages:
        yield f"| {page.name} | {page.median:.1f} ms | {page.p95:.1f} ms | {page.queries} |"


def _figure(seconds: list[float], units: int | None) -> str:
    middle = median(seconds)
    return f"{units / middle:,.0f} /s" if units else f"{middle * 1000:,.0f} ms"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
