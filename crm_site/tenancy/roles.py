"""The runtime role: what web and workers connect as, and why it cannot see past row security."""

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

# Rows of these may be added by the runtime role but never changed or removed.
APPEND_ONLY = ("audit_crmauditlog",)

# Roles are the server's: another database's migrate may be making the same one at this moment.
CREATE = sql.SQL(
    """
    DO $$ BEGIN
        CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB{};
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$
    """
)


def ensure_runtime_role(owner: BaseDatabaseWrapper, name: str, password: str) -> None:
    """Create the role ``name`` if missing, and grant it work on rows and nothing else.

    Runs as the owner, after every migrate: default privileges do not reach tables made before.
    """
    role = sql.Identifier(name)
    with owner.cursor() as cursor:
        cursor.execute("SELECT current_user, 1 FROM pg_roles WHERE rolname = %s", [name])
        found = cursor.fetchone()
        if found and found[0] == name:
            raise ImproperlyConfigured(
                "DATABASE_URL and DATABASE_OWNER_URL name the same role. The runtime role must not "
                "own tables, or row-level security would not hold it."
            )
        if not found:
            secret = (
                sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
            )
            cursor.execute(CREATE.format(role, secret))
        grants = (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            "REVOKE ALL ON django_migrations FROM {}",
            "GRANT SELECT ON django_migrations TO {}",
            *(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {{}}" for table in APPEND_ONLY),
        )
        for grant in grants:
            cursor.execute(sql.SQL(grant).format(role))


BYPASSES = """
SELECT r.rolname FROM pg_roles r
WHERE pg_has_role(current_user, r.oid, 'MEMBER')
  AND (r.rolsuper OR r.rolbypassrls OR EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p') AND n.nspname = 'public')
    OR EXISTS (SELECT FROM pg_policy WHERE r.oid = ANY (polroles)))
"""


def refuse_bypassing_role(alias: str = "default") -> None:
    """Raise ``ImproperlyConfigured`` if this connection could see past row-level security.

    It could as a superuser, with BYPASSRLS, as an owner of tables, with a policy of its own, or as
    a member of such a role.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(BYPASSES)
        roles = [row[0] for row in cursor.fetchall()]
    if roles:
        raise ImproperlyConfigured(
            f"The database role can act as {', '.join(roles)} and so see every club's rows. "
            "Point DATABASE_URL at the runtime role that `manage.py migrate` creates."
        )
