"""The page on which columns are mapped: what was chosen, and what the first rows then say."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest

from crm_site.errors import DomainError
from crm_site.files.models import StoredFile
from customers.choices import OnConflict
from customers.services.facts import country_in_scope
from customers.services.importing.layouts import CSV, DELIMITERS, ENCODINGS
from customers.services.importing.plans import DATE_ORDERS, FIELDS, Plan, check_plan, labels
from customers.services.importing.reading import RowReader, faults_of
from customers.services.importing.requesting import (
    FirstLook,
    look_at,
    same_file_before,
    suggest_plan,
)
from customers.services.importing.rows import SourceRow

PREVIEWED_ROWS, SAMPLE_CELLS = 12, 3
# What every row may be given; anything else belongs in a column.
CONSTANT_FIELDS = ("lifecycleStage", "homeClubName", "city", "state", "country", "membershipTier")


class MappingForm:
    """What the person chose so far; to begin with, what was chosen last time or seems right.

    ``error`` is what keeps the choice from being carried out.
    """

    def __init__(self, request: HttpRequest, file: StoredFile) -> None:
        said = request.POST if request.method == "POST" else request.GET
        self.file, self.error = file, ""
        self.wish = request.POST.get("wish", "")
        seen = look_at(file)
        layout = seen.layout.choose(
            encoding=said.get("encoding", ""), delimiter=said.get("delimiter", "")
        )
        try:
            self.look = seen if layout == seen.layout else look_at(file, layout)
        except DomainError as refusal:
            self.look, self.error = seen, refusal.message
        self.plan, self.last = suggest_plan(self.look)
        if self.wish and self.wish != "reread":
            self.plan = _chosen(said, self.look, self.plan)
            try:
                check_plan(self.plan)
            except DomainError as refusal:
                self.error = refusal.message


def _chosen(said: Any, look: FirstLook, suggested: Plan) -> Plan:
    columns = [said.get(f"column_{place}", "") for place in range(len(look.header))]
    field, value = said.get("constant_field", ""), said.get("constant_value", "").strip()
    tags = [tag.strip() for tag in said.get("tags", "").split(",") if tag.strip()]
    return Plan(
        columns=tuple(name if name in FIELDS else None for name in columns),
        layout=look.layout,
        constants={field: value} if field in CONSTANT_FIELDS and value else {},
        add_tags=tuple(tag[:64] for tag in tags[:20]),
        on_conflict=said.get("on_conflict", suggested.on_conflict),
        date_order=said.get("date_order", suggested.date_order),
    )


def mapping_context(form: MappingForm) -> dict[str, Any]:
    """What the page shows."""
    plan, look = form.plan, form.look
    with transaction.atomic():
        before = same_file_before(form.file)
    rows = look.rows[:PREVIEWED_ROWS]
    faults, failed = _faults(plan, look.rows)
    named = labels()
    columns = [
        {
            "place": place,
            "header": header or f"Column {place + 1}",
            "field": plan.columns[place] or "",
            "samples": _samples(look.rows, place),
        }
        for place, header in enumerate(look.header)
    ]
    constant = next(iter(plan.constants.items()), ("", ""))
    return {
        "form": form,
        "plan": plan,
        "file": form.file,
        "columns": columns,
        "fields": sorted(named.items(), key=lambda item: item[1].casefold()),
        "shown": [(c["header"], named.get(str(c["field"]))) for c in columns if c["field"]],
        "preview": [_preview_row(row, plan, faults) for row in rows],
        "faulty": sum(1 for line in faults if line),
        "looked_at": len(look.rows),
        "error": form.error or failed,
        "before": before,
        "is_csv": look.layout.format == CSV,
        "encodings": {**{look.layout.encoding: look.layout.encoding.upper()}, **ENCODINGS},
        "delimiters": DELIMITERS,
        "date_orders": DATE_ORDERS,
        "has_dates": any((name and "Date" in name) or name in {"memberSince", "membershipExpiry"}
                         for name in plan.columns),
        "conflicts": OnConflict.choices,
        "constant_fields": [(name, named[name]) for name in CONSTANT_FIELDS],
        "constant": constant,
        "tags": ", ".join(plan.add_tags),
    }  # fmt: skip


def _faults(plan: Plan, rows: list[SourceRow]) -> tuple[dict[int, Any], str]:
    try:
        with transaction.atomic():
            reader = RowReader(plan, country=country_in_scope())
    except DomainError as refusal:  # A value for every row that cannot be.
        return {}, refusal.message
    return faults_of(reader, rows), ""


def _samples(rows: list[SourceRow], place: int) -> list[str]:
    values = [row.cells[place].strip() for row in rows if place < len(row.cells)]
    return list(dict.fromkeys(value[:60] for value in values if value))[:SAMPLE_CELLS]


def _preview_row(row: SourceRow, plan: Plan, faults: dict[int, Any]) -> dict[str, Any]:
    wrong = faults.get(row.line, [])
    by_path = {fault.path: fault.message for fault in wrong}
    return {
        "line": row.line,
        "cells": [
            (row.cells[place] if place < len(row.cells) else "", by_path.get(name, ""))
            for place, name in enumerate(plan.columns)
            if name
        ],
        "whole": by_path.get("", ""),
    }
