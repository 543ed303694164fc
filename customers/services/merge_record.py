"""Doing what a merge does to rows, so that it can be undone.

Who follows ``profile_merged`` changes rows through the ``MergeRecord`` it carries: move, change,
remove, add. Each is a few statements whatever the number of rows, and leaves a step. Undoing walks
the steps backwards and needs nobody's help; what changed since stays as it is and is counted.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models

from crm_site.db.ids import new_id
from crm_site.tenancy.context import require_tenant_id
from customers.choices import MergeStepKind
from customers.models import CustomerProfile, ProfileMerge, ProfileMergeStep

# Names of tables and columns below come from models; values are bound.
MOVE = """
WITH moved AS (
    UPDATE {table} SET {column} = %s WHERE id IN ({rows}) RETURNING id
)
INSERT INTO customers_profilemergestep
    (id, tenant_id, merge_id, position, kind, model, field, row_count, ids)
SELECT %s, %s, %s, %s, 'MOVE', %s, %s, count(*), array_agg(id ORDER BY id) FROM moved
HAVING count(*) > 0
RETURNING row_count
"""
READ = """
SELECT coalesce(jsonb_agg(to_jsonb(held) ORDER BY id), '[]') FROM (
    SELECT {columns} FROM {table} WHERE id = ANY(%s)
) AS held
"""
REMOVE = "DELETE FROM {table} AS gone WHERE id IN ({rows}) RETURNING to_jsonb(gone)"

MOVE_BACK = """
UPDATE {table} SET {column} = %(absorbed)s
 WHERE {column} = %(survivor)s
   AND id IN (SELECT unnest(ids) FROM customers_profilemergestep WHERE id = %(step)s)
"""
CHANGE_BACK = """
UPDATE {table} AS held SET {changes}
  FROM customers_profilemergestep AS step,
       jsonb_populate_recordset(NULL::{table}, step.before) AS was,
       jsonb_populate_recordset(NULL::{table}, step.after) AS became
 WHERE step.id = %(step)s AND held.id = was.id AND became.id = was.id
   AND ({held}) IS NOT DISTINCT FROM ({became})
RETURNING held.id
"""
PUT_BACK = """
INSERT INTO {table}
SELECT gone.* FROM customers_profilemergestep AS step,
       jsonb_populate_recordset(NULL::{table}, step.before) AS gone
 WHERE step.id = %(step)s
ON CONFLICT DO NOTHING
RETURNING id
"""


def _table(model: Any) -> str:
    return connection.ops.quote_name(model._meta.db_table)


class MergeRecord:
    """What one merge does beside the two profiles, ``survivor`` and ``absorbed`` as before it.

    ``moved`` counts rows by model.
    """

    def __init__(self, merge: ProfileMerge) -> None:
        self.merge = merge
        self.survivor: CustomerProfile = merge.survivor
        self.absorbed: CustomerProfile = merge.absorbed
        self.moved: dict[str, int] = {}
        self._position = 0

    def move(self, rows: models.QuerySet[Any], field: str = "customer") -> int:
        """Point rows at the survivor. Their unique keys must be free: settle clashes first."""
        column = rows.model._meta.get_field(field).column
        selected, params = rows.order_by().values("pk").query.sql_with_params()
        statement = MOVE.format(
            table=_table(rows.model), column=connection.ops.quote_name(column), rows=selected
        )
        values = [
            *(self.survivor.pk, *params, new_id(), require_tenant_id(), self.merge.pk),
            *(self._next(), rows.model._meta.label, field),
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            found = cursor.fetchone()
        count: int = found[0] if found else 0
        label = rows.model._meta.label
        self.moved[label] = self.moved.get(label, 0) + count
        return count

    def change(self, rows: models.QuerySet[Any], *, why: str, **values: Any) -> list[UUID]:
        """Update rows, by expressions too; the columns' old and new values are kept.

        Returns their ids. ``why`` names the clash that this settles.
        """
        ids = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        if not ids:
            return []
        columns = [rows.model._meta.get_field(name).column for name in values]
        before = _read(rows.model, columns, ids)
        rows.model.objects.filter(pk__in=ids).update(**values)
        after = _read(rows.model, columns, ids)
        self._note(MergeStepKind.CHANGE, rows.model, why, ids, before=before, after=after)
        return ids

    def remove(self, rows: models.QuerySet[Any], *, why: str) -> list[dict[str, Any]]:
        """Take rows out that cannot stand beside the survivor's own; returns them, by column."""
        selected, params = rows.order_by().values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(REMOVE.format(table=_table(rows.model), rows=selected), params)
            gone = [_loaded(row) for (row,) in cursor.fetchall()]
        if gone:
            ids = [UUID(row["id"]) for row in gone]
            self._note(MergeStepKind.REMOVE, rows.model, why, ids, before=gone)
        return gone

    def add(self, rows: Sequence[Any], *, why: str) -> None:
        """Insert new rows, which undoing takes out again."""
        if not rows:
            return
        model = type(rows[0])
        model.objects.bulk_create(rows)
        self._note(MergeStepKind.ADD, model, why, [row.pk for row in rows])

    def _note(
        self,
        kind: MergeStepKind,
        model: Any,
        why: str,
        ids: Sequence[UUID],
        *,
        before: list[dict[str, Any]] | None = None,
        after: list[dict[str, Any]] | None = None,
    ) -> None:
        ProfileMergeStep.objects.create(
            merge=self.merge, position=self._next(), kind=kind, model=model._meta.label,
            why=why, row_count=len(ids), ids=list(ids), before=before, after=after,
        )  # fmt: skip

    def _next(self) -> int:
        self._position += 1
        return self._position


class UndoRecord:
    """What undoing a merge put back, by model and clash; who follows ``profile_unmerged`` asks."""

    def __init__(self, merge: ProfileMerge) -> None:
        self.merge = merge
        self.survivor: CustomerProfile = merge.survivor
        self.absorbed: CustomerProfile = merge.absorbed
        self.moved_back: dict[str, int] = {}
        self.left_as_is: dict[str, int] = {}
        self._put_back: dict[tuple[str, str], list[UUID]] = {}

    def put_back(self, model: Any, why: str) -> list[UUID]:
        """Rows of a model that are as they were before the clash of that name was settled."""
        return self._put_back.get((model._meta.label, why), [])

    def undo_steps(self) -> None:
        """Backwards, so that a row is free of what was done to it later."""
        rows = ProfileMergeStep.objects.filter(merge=self.merge).order_by("-position")
        for step in rows.defer("ids", "before", "after"):
            _UNDO[MergeStepKind(step.kind)](self, step)

    def _move_back(self, step: ProfileMergeStep) -> None:
        model: Any = apps.get_model(step.model)
        column = model._meta.get_field(step.field).column
        values = {
            "survivor": self.survivor.pk, "absorbed": self.absorbed.pk, "step": step.pk,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                MOVE_BACK.format(table=_table(model), column=connection.ops.quote_name(column)),
                values,
            )
            self.moved_back[step.model] = self.moved_back.get(step.model, 0) + cursor.rowcount

    def _change_back(self, step: ProfileMergeStep) -> None:
        model: Any = apps.get_model(step.model)
        first = ProfileMergeStep.objects.values_list("before__0", flat=True).get(pk=step.pk)
        columns = [connection.ops.quote_name(name) for name in first if name != "id"]
        statement = CHANGE_BACK.format(
            table=_table(model),
            changes=", ".join(f"{name} = was.{name}" for name in columns),
            held=", ".join(f"held.{name}" for name in columns),
            became=", ".join(f"became.{name}" for name in columns),
        )
        self._keep_count(step, statement)

    def _put_rows_back(self, step: ProfileMergeStep) -> None:
        model: Any = apps.get_model(step.model)
        self._keep_count(step, PUT_BACK.format(table=_table(model)))

    def _keep_count(self, step: ProfileMergeStep, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"step": step.pk})
            ids = [row[0] for row in cursor.fetchall()]
        self._put_back.setdefault((step.model, step.why or ""), []).extend(ids)
        missing = step.row_count - len(ids)
        if missing:
            self.left_as_is[step.model] = self.left_as_is.get(step.model, 0) + missing

    def _take_out(self, step: ProfileMergeStep) -> None:
        model: Any = apps.get_model(step.model)
        added = ProfileMergeStep.objects.values_list("ids", flat=True).get(pk=step.pk)
        model.objects.filter(pk__in=added or []).delete()


_UNDO = {
    MergeStepKind.MOVE: UndoRecord._move_back,
    MergeStepKind.CHANGE: UndoRecord._change_back,
    MergeStepKind.REMOVE: UndoRecord._put_rows_back,
    MergeStepKind.ADD: UndoRecord._take_out,
}


def _read(model: Any, columns: Collection[str], ids: Sequence[UUID]) -> list[dict[str, Any]]:
    names = ", ".join(connection.ops.quote_name(name) for name in dict.fromkeys(["id", *columns]))
    with connection.cursor() as cursor:
        cursor.execute(READ.format(columns=names, table=_table(model)), [list(ids)])
        return _loaded(cursor.fetchone()[0])


def _loaded(value: Any) -> Any:
    """Django hands JSON of plain cursors over as text."""
    return json.loads(value) if isinstance(value, str) else value
