"""One scan: from a file of profiles to pairs with a score and its reasons."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customers.matching.blocking import Skipped, keep_neighbours, make_keys, rules
from customers.matching.explaining import CAPS, FIELDS, SWAPPED, Agreement, Pair, find_caps
from customers.matching.parameters import Parameters, make_frequencies, measure, put
from customers.matching.preparing import load_people

MODEL: dict[str, Any] = json.loads(
    (Path(__file__).parent / "model.json").read_text(encoding="utf-8")
)
ENGINE = f"splink-5/m{MODEL['version']}"
# Pairs below are nobody's business.
LEAST_PROBABILITY = 0.5
# In a smaller club a few people more change what is counted, and counting takes no time.
KNOWN_FROM = 50_000
THREADS, MEMORY = 2, "1500MB"

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Scan:
    profile_count: int
    compared_count: int
    skipped: list[Skipped]
    parameters: Parameters | None
    pairs: list[Pair]


def scan(
    path: Path,
    *,
    folder: Path,
    claims: Path | None = None,
    changed_only: bool = False,
    known: Parameters | None = None,
    report: Report = lambda progress, stage: None,
    threshold: float = LEAST_PROBABILITY,
) -> Scan:
    """Compare the profiles of a file; ``folder`` is private and for what memory does not hold.

    ``changed_only`` looks at pairs of which at least one is marked as changed, weighed as a scan of
    all of them would. ``known`` are parameters of an earlier scan, taken instead of counting where
    there are too many profiles for the last few to matter. ``report`` is called between steps and
    may raise to stop.
    """
    with _database(folder) as connection:
        report(0.0, "Reading names and addresses")
        profile_count = load_people(connection, path, claims)
        report(0.2, "Finding who has something in common")
        skipped = make_keys(connection, profile_count)
        if profile_count < 2:
            return Scan(profile_count, 0, skipped, None, [])
        report(0.35, "Counting how common names and addresses are")
        if known is not None and profile_count >= KNOWN_FROM:
            parameters = known
        else:
            parameters = measure(connection, MODEL["settings"], profile_count)
        report(0.6, "Comparing pairs")
        compared, pairs = _score(connection, parameters, changed_only, threshold)
        return Scan(profile_count, compared, skipped, parameters, pairs)


@contextmanager
def _database(folder: Path) -> Iterator[Any]:
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": THREADS,
        "memory_limit": MEMORY,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    connection = duckdb.connect(config=settings)
    try:
        yield connection
    finally:
        connection.close()


PAIRS = """
SELECT least(l.id, r.id), greatest(l.id, r.id), match_probability, match_weight,
    gamma_name, mw_name + mw_tf_adj_name, gamma_birth, mw_birth + mw_tf_adj_birth,
    gamma_contact, mw_contact,
    contradict(p.fn, p.roots, q.fn, q.roots),
    CASE WHEN pair.gamma_name = {swapped} THEN 'swapped' WHEN p.fn = q.fn THEN 'same'
        WHEN contradict(p.fn, p.roots, q.fn, q.roots) THEN 'different'
        WHEN p.fn IS NOT NULL AND q.fn IS NOT NULL THEN 'similar' END,
    CASE WHEN pair.gamma_name = {swapped} THEN 'swapped' WHEN p.ln = q.ln THEN 'same'
        WHEN similar_last(p.ln, p.parts, q.ln, q.parts) THEN 'similar'
        WHEN p.ln IS NOT NULL AND q.ln IS NOT NULL THEN 'different' END,
    CASE WHEN p.dob = q.dob THEN 'same' WHEN similar_birth(p.digits, q.digits) THEN 'similar'
        WHEN p.dob IS NOT NULL AND q.dob IS NOT NULL THEN 'different' END,
    CASE WHEN p.email = q.email OR list_has_any(p.claimed_emails, q.claimed_emails) THEN 'same'
        WHEN p.email IS NOT NULL AND q.email IS NOT NULL THEN 'different' END,
    CASE WHEN p.phone = q.phone OR list_has_any(p.claimed_phones, q.claimed_phones) THEN 'same'
        WHEN p.phone IS NOT NULL AND q.phone IS NOT NULL THEN 'different' END,
    CASE WHEN p.addr = q.addr THEN 'same'
        WHEN similar_address(p.street, p.number, q.street, q.number) THEN 'similar'
        WHEN p.addr IS NOT NULL AND q.addr IS NOT NULL THEN 'different' END,
    CASE WHEN p.pc = q.pc THEN 'same' WHEN p.pc IS NOT NULL AND q.pc IS NOT NULL
        THEN 'different' END,
    CASE WHEN p.town = q.town THEN 'same' WHEN p.town IS NOT NULL AND q.town IS NOT NULL
        THEN 'different' END
FROM {pairs} AS pair
JOIN people AS p ON p.unique_id = pair.unique_id_l
JOIN people AS q ON q.unique_id = pair.unique_id_r
JOIN sources AS l ON l.unique_id = pair.unique_id_l
JOIN sources AS r ON r.unique_id = pair.unique_id_r
"""


def _score(
    connection: Any, parameters: Parameters, changed_only: bool, threshold: float
) -> tuple[int, list[Pair]]:
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    settings = put(MODEL["settings"], parameters)
    settings["blocking_rules_to_generate_predictions"] = rules(changed_only=changed_only)
    common = {"fullname": parameters.u["name"]["same name"],
              "dob": parameters.u["birth"]["same date of birth"]}  # fmt: skip
    frequencies = {column: make_frequencies(connection, column, u) for column, u in common.items()}
    if changed_only:
        keep_neighbours(connection)
    api = DuckDBAPI(connection=connection)
    people = api.register("people", dataset_display_name="people")
    linker = Linker(people, settings, log_level=logging.ERROR)
    for column, table in frequencies.items():
        linker.table_management.register_term_frequency_lookup(api.register(table), column)
    blocked = linker.inference.compute_blocked_pairs_for_predict()
    ((compared,),) = connection.execute(f"SELECT count(*) FROM {blocked.physical_name}").fetchall()
    found = linker.inference.predict(threshold_match_probability=threshold)
    rows = connection.execute(
        PAIRS.format(pairs=found.physical_name, swapped=LABELS["name"].index(SWAPPED))
    ).fetchall()
    return compared, [_pair(row) for row in rows]


def _labels(comparison: str) -> list[str | None]:
    """Labels by Splink's gamma, which counts levels from the last; the one of -1 comes last."""
    (found,) = (
        c for c in MODEL["settings"]["comparisons"] if c["output_column_name"] == comparison
    )
    levels = found["comparison_levels"]
    known = [each["label_for_charts"] for each in levels if not each.get("is_null_level")]
    return [*reversed(known), None]


LABELS = {name: _labels(name) for name in ("name", "birth", "contact")}


def _pair(row: tuple[Any, ...]) -> Pair:
    first, second, probability, weight, *levels = row[:10]
    has_other_first_name, fields = row[10], dict(zip(FIELDS, row[11:], strict=True))
    agreements = {
        name: Agreement(labels[gamma], bits)
        for (name, labels), gamma, bits in zip(
            LABELS.items(), levels[::2], levels[1::2], strict=True
        )
    }
    caps = find_caps(agreements, has_other_first_name=has_other_first_name)
    return Pair(
        first,
        second,
        probability,
        weight,
        score=round(min([100 * probability, *(CAPS[cap] for cap in caps)]), 1),
        agreements=agreements,
        fields={name: found for name, found in fields.items() if found is not None},
        caps=caps,
    )
