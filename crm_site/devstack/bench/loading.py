"""Filling tables by the million: triggers, foreign keys and indexes off, and back on after."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from psycopg import sql

INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""
FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f'
"""


@contextmanager
def bare(cursor: CursorWrapper, table: str) -> Iterator[None]:
    """Strip ``table`` for a bulk load and dress it again, inside a transaction of its owner."""
    cursor.execute(INDEXES, [table])
    indexes = cursor.fetchall()
    cursor.execute(FOREIGN_KEYS, [table])
    keys = cursor.fetchall()
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    for key, _ in keys:
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        cursor.execute(drop.format(name, sql.Identifier(key)))
    for index, _ in indexes:
        cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for key, definition in keys:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} " + definition)
        cursor.execute(add.format(name, sql.Identifier(key)))
    cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))


def required_columns(model: type[Model], named: Collection[str]) -> dict[str, Any]:
    """The model's defaults of the columns that must not be null and are not among ``named``."""
    connection = connections["default"]
    return {
        field.column: field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.column and field.column not in named and not field.null
    }


def insert_series(
    cursor: CursorWrapper, model: type[Model], columns: dict[str, str], *, count: int
) -> None:
    """``count`` rows of ``model``; ``columns`` gives an SQL expression of ``n`` (1, 2 …) each.

    Columns that are not named take the model's default.
    """
    defaults = required_columns(model, columns)
    given = (expression.replace("%", "%%") for expression in columns.values())
    expressions = ", ".join((*given, *(f"%({name})s" for name in defaults)))
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join((*columns, *defaults))}) "  # noqa: S608
        f"SELECT {expressions} FROM generate_series(1, {count}) n",
        defaults,
    )
