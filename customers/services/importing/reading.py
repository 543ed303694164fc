"""What a row says about a person, by a plan."""

import json
from collections.abc import Sequence
from typing import Any

from customers.services.facts import (
    FIELD_NAMES,
    IDENTIFIERS,
    FactError,
    Fault,
    PersonFacts,
    read_value,
)
from customers.services.importing.plans import DATE_FIELDS, Plan, iso_date
from customers.services.importing.rows import SourceRow
from customers.services.profiles import NO_IDENTITY, names_somebody

# Cities, tiers and days come again and again; e-mail addresses do not.
REMEMBERED_VALUES = 20_000


class RowReader:
    """Reads rows into facts, in the same spelling as every other way in. Remembers what it read of
    columns in which values come again."""

    def __init__(self, plan: Plan, *, country: str) -> None:
        self._plan, self._country = plan, country
        self._places = [(place, name) for place, name in enumerate(plan.columns) if name]
        self._known: dict[str, dict[str, Any]] = {
            name: {} for _, name in self._places if FIELD_NAMES[name] not in IDENTIFIERS
        }
        self._constants = {
            FIELD_NAMES[name]: self._read(name, text) for name, text in plan.constants.items()
        }

    def read(self, row: SourceRow) -> PersonFacts | list[Fault]:
        """The facts of a row, or everything that is wrong with it."""
        if row.fault:
            return [Fault("", "invalid", row.fault)]
        identifiers: dict[str, Any] = {}
        fields: dict[str, Any] = dict(self._constants)
        faults: list[Fault] = []
        for place, name in self._places:
            text = row.cells[place].strip()
            if not text:
                continue
            try:
                value = self._remembered(name, text)
            except FactError as error:
                faults += error.faults
                continue
            field_name = FIELD_NAMES[name]
            (identifiers if field_name in IDENTIFIERS else fields)[field_name] = value
        for name in [name for name in fields if name in IDENTIFIERS]:
            identifiers[name] = fields.pop(name)
        facts = PersonFacts(identifiers, fields)
        if not faults and not names_somebody(facts):
            faults.append(NO_IDENTITY)
        return faults or facts

    def _remembered(self, name: str, text: str) -> Any:
        known = self._known.get(name)
        if known is None:
            return self._read(name, text)
        if text not in known:
            if len(known) >= REMEMBERED_VALUES:
                return self._read(name, text)
            known[text] = self._read(name, text)
        return known[text]

    def _read(self, name: str, text: str) -> Any:
        value: Any = text
        if name == "tags":
            value = text.split(";")
        elif name == "externalIds":
            try:
                value = json.loads(text)
            except ValueError:
                raise FactError([Fault(name, "invalid", "JSON is expected.")]) from None
        elif name in DATE_FIELDS:
            value = iso_date(text, self._plan.date_order)
        return read_value(FIELD_NAMES[name], value, path=name, country=self._country)


def faults_of(reader: RowReader, rows: Sequence[SourceRow]) -> dict[int, list[Fault]]:
    """What is wrong, by line, of the rows that have something wrong."""
    found = {row.line: reader.read(row) for row in rows}
    return {line: said for line, said in found.items() if isinstance(said, list)}
