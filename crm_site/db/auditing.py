"""Row triggers that write the audit log, declared in a model's ``Meta.triggers``."""

import json

import pgtrigger

from crm_site.db.names import camel_case


class _AuditTrigger(pgtrigger.Trigger):
    """Hands a changed row to the SQL function ``fairway_audit`` (migration audit.0002)."""

    when = pgtrigger.After
    skipped: frozenset[str] = frozenset()

    def get_func(self, model):
        columns = {
            field.column: camel_case(field.attname)
            for field in model._meta.concrete_fields
            if field.name not in self.skipped
        }
        names = json.dumps(columns).replace("'", "''")
        entity = model._meta.object_name
        # A tenant's own row is audited in itself.
        owner = "id" if entity == "Tenant" else "tenant_id"
        return (
            f"PERFORM fairway_audit(TG_OP, '{entity}', "
            "CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, "
            "CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END, "
            f"'{names}'::jsonb, '{owner}'); RETURN NULL;"
        )


class _AuditChange(_AuditTrigger):
    """Fires only when a column that is kept has changed: a counter's update costs nothing."""

    operation = pgtrigger.Update

    def get_condition(self, model):
        kept = [f.name for f in model._meta.concrete_fields if f.name not in self.skipped]
        return pgtrigger.AnyChange(*kept)


# An import switches the audit of single rows off and tells of all in one entry. Asked here and not
# in the function alone: a million calls that do nothing cost minutes.
_IS_ON = pgtrigger.Condition("current_setting('fairway.audit', true) IS DISTINCT FROM 'off'")


def audited(*left_out: str, comes_in_bulk: bool = False) -> list[pgtrigger.Trigger]:
    """Triggers that audit every create, change and delete of a row.

    ``left_out`` names the model's computed counters and its secrets. Ids, the row's own timestamps
    and who changed it last are left out always: the entry says when and by whom.
    ``comes_in_bulk``: rows are inserted by the million while the audit of rows is off.
    """
    skipped = frozenset({"id", "tenant", "created_at", "updated_at", "updated_by", *left_out})
    made = _AuditTrigger(name="audit_row", operation=pgtrigger.Insert | pgtrigger.Delete)
    changed = _AuditChange(name="audit_change")
    made.skipped = changed.skipped = skipped
    if comes_in_bulk:
        made.condition = _IS_ON
    return [made, changed]
