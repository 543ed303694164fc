"""Measure how well and how fast possible duplicates are found."""

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from crm_site.devstack.bench.matching.clubs import make_club, mark_changed
from crm_site.devstack.bench.matching.febrl import febrl
from crm_site.devstack.bench.matching.truth import (
    Quality,
    Truth,
    at_probability,
    at_score,
    best_threshold,
    quality,
)
from customers.matching.scanning import scan

# The model was set on seed 11.
HELD_OUT_SEED = 2027
CHANGED = 1_000


class Command(BaseCommand):
    help = "Precision, recall, time and memory of the scan, on FEBRL and on generated clubs."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--profiles", type=int, default=1_000_000, help="Of the big club.")
        parser.add_argument("--seed", type=int, default=HELD_OUT_SEED)

    def handle(self, *args: Any, **options: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            self._head()
            for number in (1, 2, 3):
                self._measure(f"FEBRL {number}", febrl(number, self.folder / "profiles.csv"))
            sizes = sorted({500, 2_000, 20_000, 100_000, options["profiles"]})
            for size in (size for size in sizes if size <= options["profiles"]):
                path = self.folder / "profiles.csv"
                club = make_club(path, profiles=size, seed=options["seed"])
                self._measure(f"Club of {size:,}", club)
            self._incremental(options["profiles"])

    def _head(self) -> None:
        names = (
            *("file", "P", "R", "F1", "F1 best (at)", "F1 uncapped", "wrong: relatives"),
            *(
                "twins",
                "namesakes",
                "others",
                "pairs compared",
                "seconds",
                "of processor",
                "peak MB",
            ),
        )
        self.stdout.write(f"| {' | '.join(names)} |")
        self.stdout.write("|---" + "|--:" * (len(names) - 1) + "|")

    def _measure(self, name: str, truth: Truth) -> None:
        start, busy = time.perf_counter(), time.process_time()
        found = scan(truth.path, folder=self.folder)
        taken, busy = time.perf_counter() - start, time.process_time() - busy
        self.truth, self.parameters = truth, found.parameters
        queued = at_score(found.pairs, 50)
        least, best = best_threshold(found.pairs, truth)
        wrong = queued - truth.same_person
        named = truth.twins | truth.namesakes
        cells = (
            name,
            *_of(quality(queued, truth)),
            f"{best.f1:.3f} ({least})",
            f"{quality(at_probability(found.pairs, 0.5), truth).f1:.3f}",
            *(len(wrong & (truth.relatives - named)), len(wrong & truth.twins)),
            *(len(wrong & truth.namesakes), len(wrong - truth.relatives)),
            f"{found.compared_count:,}",
            f"{taken:.1f}",
            f"{busy:.1f}",
            _peak_megabytes(),
        )
        self.stdout.write(f"| {' | '.join(str(cell) for cell in cells)} |")

    def _incremental(self, profiles: int) -> None:
        path = self.folder / "changed.csv"
        mark_changed(self.truth.path, path, count=CHANGED)
        start, busy = time.perf_counter(), time.process_time()
        found = scan(path, folder=self.folder, changed_only=True, known=self.parameters)
        self.stdout.write(
            f"\n{CHANGED:,} changed of {profiles:,}: {time.perf_counter() - start:.1f} s "
            f"({time.process_time() - busy:.1f} s of processor), "
            f"{found.compared_count:,} pairs compared, {len(found.pairs):,} found."
        )


def _of(each: Quality) -> tuple[str, str, str]:
    return f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}"


def _peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
