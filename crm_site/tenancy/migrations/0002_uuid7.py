"""Ids for rows that a set-based statement inserts: UUID version 7 (RFC 9562) in SQL."""

from django.db import migrations

# PostgreSQL 18 has its own; before it, 48 bits of milliseconds are laid over a random UUID.
NATIVE = "SELECT uuidv7()"
PORTABLE = """
SELECT encode(
    set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
            FROM 1 FOR 6),
        52, 1), 53, 1),
    'hex')::uuid
"""


def create(apps, schema_editor):
    body = NATIVE if schema_editor.connection.pg_version >= 180000 else PORTABLE
    schema_editor.execute(
        f"CREATE OR REPLACE FUNCTION fairway_uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$ {body} $$"
    )


def drop(apps, schema_editor):
    schema_editor.execute("DROP FUNCTION IF EXISTS fairway_uuid7()")


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
