"""Customers from a CSV file, a thousand at a time, through the same upsert as the API."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TextIO

from django.db import transaction

from crm_site.access.services import tenant_in_scope
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.tenancy.context import local_settings
from customers.services.facts import JSON_NAMES
from customers.services.profiles import MAX_BATCH, upsert_profiles

COLUMNS = frozenset(JSON_NAMES.values())


class ImportFileError(DomainError):
    """The file as a whole cannot be imported."""


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken: its line in the file, the column where there is one, and why."""

    line: int
    column: str
    reason: str


@dataclass
class ImportReport:
    """What became of a file's rows, by status: created, updated, unchanged, rejected."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True)
class _Row:
    line: int
    item: dict[str, Any] | None
    fault: RefusedRow | None = None


def import_customers(*, file: TextIO, actor: Actor, is_dry_run: bool = False) -> ImportReport:
    """Make or update a customer for each row of a CSV with the data model's column names.

    An empty cell says nothing. ``tags`` are separated by semicolons, ``externalIds`` is JSON. Each
    thousand rows is a transaction of its own, so that others get their turn; a dry run is one that
    is taken back. The import leaves one audit entry. Raises ImportFileError before the first row.
    """
    rows, report = _read(file), ImportReport()
    try:
        with local_settings(audit="off"):
            if is_dry_run:
                with transaction.atomic():
                    _import(rows, report, actor)
                    transaction.set_rollback(True)
            else:
                _import(rows, report, actor)
    finally:
        # Also of an import that broke off: what it had done by then stays.
        if report.counts and not is_dry_run:
            with transaction.atomic():
                tenant = tenant_in_scope()
                audit.record("IMPORT", tenant, actor=actor, metadata=dict(report.counts))
    return report


def _import(rows: Iterator[_Row], report: ImportReport, actor: Actor) -> None:
    while chunk := list(islice(rows, MAX_BATCH)):
        good = [row for row in chunk if row.item is not None]
        for row in chunk:
            if row.fault:
                _refuse(report, [row.fault])
        with transaction.atomic():
            results = upsert_profiles([row.item for row in good], actor=actor)
        for row, result in zip(good, results, strict=True):
            if result.status == "rejected":
                _refuse(report, (RefusedRow(row.line, e.path, e.message) for e in result.errors))
            else:
                report.counts[result.status] += 1
    report.refused.sort(key=lambda row: row.line)


def _refuse(report: ImportReport, faults: Iterable[RefusedRow]) -> None:
    report.counts["rejected"] += 1
    report.refused += faults


def _read(file: TextIO) -> Iterator[_Row]:
    reader = csv.reader(file)
    try:
        header = [name.strip() for name in next(reader, [])]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ImportFileError(f"This is not a CSV file in UTF-8: {error}.") from None
    _check_header(header)
    return _rows(reader, header)


def _check_header(header: list[str]) -> None:
    if not header:
        raise ImportFileError("The file is empty.")
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise ImportFileError(
            f"Unknown column {unknown[0]!r}. Known are: {', '.join(sorted(COLUMNS))}.",
            path=unknown[0],
            code="unknown_field",
        )
    twice = [name for name, times in Counter(header).items() if times > 1]
    if twice:
        raise ImportFileError(f"The column {twice[0]!r} is there twice.", path=twice[0])


def _rows(reader: Any, header: list[str]) -> Iterator[_Row]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError) as error:
            line = reader.line_num
            reason = f"This line cannot be read, nor can what follows: {error}."
            yield _Row(line, None, RefusedRow(line, "", reason))
            return
        if any(cell.strip() for cell in cells):
            yield _row(reader.line_num, header, cells)


def _row(line: int, header: list[str], cells: list[str]) -> _Row:
    if len(cells) != len(header):
        reason = f"{len(cells)} cells where the header has {len(header)}."
        return _Row(line, None, RefusedRow(line, "", reason))
    if any("\0" in cell for cell in cells):
        return _Row(line, None, RefusedRow(line, "", "A cell holds a NUL character."))
    item: dict[str, Any] = {
        name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()
    }
    if "tags" in item:
        item["tags"] = item["tags"].split(";")
    if "externalIds" in item:
        try:
            item["externalIds"] = json.loads(item["externalIds"])
        except ValueError:
            return _Row(line, None, RefusedRow(line, "externalIds", "JSON is expected."))
    return _Row(line, item)
