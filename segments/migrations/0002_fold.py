"""Texts compared without regard to case: the SQL function ``fairway_fold``."""

from django.db import migrations

# Full case folding by Unicode, whatever the database's own locale; before PostgreSQL 18 the
# nearest there is. One expression, so that the planner puts it in place of the call.
BODIES = {
    180000: "SELECT casefold($1 COLLATE pg_unicode_fast)",
    170000: "SELECT lower(upper($1 COLLATE pg_c_utf8))",
    0: "SELECT lower(upper($1))",
}


def create(apps, schema_editor):
    version = schema_editor.connection.pg_version
    body = next(body for since, body in BODIES.items() if version >= since)
    schema_editor.execute(
        "CREATE OR REPLACE FUNCTION fairway_fold(text) RETURNS text "
        f"LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ {body} $$"
    )


def drop(apps, schema_editor):
    schema_editor.execute("DROP FUNCTION IF EXISTS fairway_fold(text)")


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
