"""The function behind every audit trigger (crm_site.db.auditing)."""

from django.db import migrations

# `names` maps the columns that are kept to the names the data model gives them; `owner` is the
# column that holds the tenant. Setting and clearing deleted_at reads as DELETE and RESTORE.
CREATE = """
CREATE FUNCTION fairway_audit(
    operation text, entity text, old_row jsonb, new_row jsonb, names jsonb, owner text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changes jsonb;
    act text := CASE operation WHEN 'INSERT' THEN 'CREATE' ELSE operation END;
    whole jsonb := coalesce(new_row, old_row);
    actor text := nullif(current_setting('fairway.actor', true), '');
BEGIN
    IF current_setting('fairway.audit', true) = 'off' THEN
        RETURN;
    END IF;
    SELECT jsonb_object_agg(kept.value, jsonb_build_object(
               'old', old_row -> kept.key, 'new', new_row -> kept.key))
      INTO changes
      FROM jsonb_each_text(names) AS kept
     WHERE coalesce(old_row -> kept.key, 'null') IS DISTINCT FROM coalesce(new_row -> kept.key, 'null');
    IF changes IS NULL AND act = 'UPDATE' THEN
        RETURN;
    END IF;
    IF act = 'UPDATE' AND names ? 'deleted_at' THEN
        IF old_row ->> 'deleted_at' IS NULL AND new_row ->> 'deleted_at' IS NOT NULL THEN
            act := 'DELETE';
        ELSIF old_row ->> 'deleted_at' IS NOT NULL AND new_row ->> 'deleted_at' IS NULL THEN
            act := 'RESTORE';
        END IF;
    END IF;
    INSERT INTO audit_crmauditlog (
        id, tenant_id, entity_type, entity_id, action, changes, performed_by, performed_at,
        ip_address, user_agent
    ) VALUES (
        fairway_uuid7(), whole ->> owner, entity, whole ->> 'id', act, changes,
        coalesce(actor, 'system:database'), clock_timestamp(),
        nullif(current_setting('fairway.ip_address', true), '')::inet,
        nullif(current_setting('fairway.user_agent', true), '')
    );
END
$$
"""
DROP = "DROP FUNCTION fairway_audit(text, text, jsonb, jsonb, jsonb, text)"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("tenancy", "0002_uuid7")]
    operations = [migrations.RunSQL(CREATE, DROP)]
