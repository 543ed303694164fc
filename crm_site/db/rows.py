"""Writing many rows of one table with one statement each.

Values travel as one JSON document that PostgreSQL reads by the table's own column types, so a
batch costs one parameter whatever its size. For plain columns: a field that transforms its value
on the way to the database (encryption) needs the ORM.
"""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models


def _plain(value: object) -> str:
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here.")


def to_json(rows: Sequence[Any]) -> str:
    return json.dumps(rows, default=_plain, ensure_ascii=False)


def as_json(value: Any) -> Any:
    """The value as it comes back from a JSON column."""
    return json.loads(to_json([value]))[0]


def insert_rows(rows: Sequence[models.Model]) -> None:
    """INSERT rows of one model, all of their columns."""
    if not rows:
        return
    meta = rows[0]._meta
    fields = meta.concrete_fields
    table, columns = meta.db_table, ", ".join(f'"{field.column}"' for field in fields)
    values = [{field.column: field.pre_save(row, True) for field in fields} for row in rows]
    # Names come from the model; values are bound.
    statement = (
        f'INSERT INTO "{table}" ({columns}) SELECT {columns} '  # noqa: S608
        f'FROM json_populate_recordset(NULL::"{table}", %s::json)'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [to_json(values)])


def update_rows(rows: Sequence[models.Model], names: Collection[str]) -> None:
    """UPDATE the named fields of rows of one model, found by their ids."""
    if not rows or not names:
        return
    meta = rows[0]._meta
    fields: list[Any] = [meta.get_field(name) for name in sorted(names)]
    table = meta.db_table
    values = [
        {"id": row.pk, **{field.column: getattr(row, field.attname) for field in fields}}
        for row in rows
    ]
    changes = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields)
    statement = (
        f'UPDATE "{table}" AS old SET {changes} '  # noqa: S608
        f'FROM json_populate_recordset(NULL::"{table}", %s::json) AS new '
        "WHERE old.id = new.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [to_json(values)])
