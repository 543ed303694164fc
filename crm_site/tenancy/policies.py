"""Row-level security: the database itself keeps tenants apart.

Every table with a ``tenant_id`` gets one policy for everything, forced on its owner too. The
setting is read through a sub-select so that it is read once per query and not once per row.
Without a tenant the setting is empty and equals no id: nothing is seen, nothing can be written.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

POLICY = "tenant_isolation"

TENANT_TABLES = """
SELECT c.relname FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
ORDER BY c.relname
"""

IN_SCOPE = "tenant_id = (SELECT current_setting('fairway.tenant_id', true))"

# Before a tenant is known somebody must be recognised: the one row that belongs to what was
# presented (a signed-in user's memberships, a key's prefix, an endpoint's id) may be read.
LOOKUPS = {
    "access_tenantmembership": (
        "own_memberships",
        "user_id::text = (SELECT current_setting('fairway.user_id', true))",
    ),
    "access_apikey": (
        "presented_key",
        "prefix = (SELECT current_setting('fairway.credential', true))",
    ),
    "access_webhookendpoint": (
        "presented_endpoint",
        "id::text = (SELECT current_setting('fairway.credential', true))",
    ),
}


def ensure_policies(owner: BaseDatabaseWrapper) -> list[str]:
    """Put row-level security on every table that has a tenant. Returns the tables."""
    with owner.cursor() as cursor:
        cursor.execute(TENANT_TABLES)
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            name = owner.ops.quote_name(table)
            cursor.execute(
                f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
            )
            cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {name}")
            cursor.execute(
                f"CREATE POLICY {POLICY} ON {name} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})"
            )
        for table, (policy, condition) in LOOKUPS.items():
            if table in tables:
                cursor.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
                cursor.execute(f"CREATE POLICY {policy} ON {table} FOR SELECT USING ({condition})")
    return tables
