"""Servers, databases and the cast that every test shares.

Tests run as the runtime role, which row-level security holds: isolation cannot pass vacuously.
"""

import os
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections, transaction
from django.test import Client, TransactionTestCase, override_settings

from crm_site.access.models import User
from crm_site.access.roles import Role
from crm_site.access.services import grant_membership, issue_api_key
from crm_site.audit.actor import Actor, acting_as
from crm_site.devstack import embedded
from crm_site.messaging.gateway import forget_gateway, get_gateway
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import create_tenant
from tests.servers import DATABASE

ACTOR = Actor("user:test")


def _as_superuser(statement: str) -> None:
    url = embedded.database_url(
        Path(os.environ["FAIRWAY_TEST_DIR"]), embedded.SUPERUSER, "postgres"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """A database of this worker's own, migrated by the owner and used as the runtime role."""
    _as_superuser(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    _as_superuser(f"CREATE DATABASE {DATABASE} OWNER {embedded.OWNER}")
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
        connections["owner"].close()
    yield
    with django_db_blocker.unblock():
        connections["default"].close()
    _as_superuser(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


KEPT_TABLES = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}


def _empty_tables(self) -> None:
    """After a test with real transactions. The runtime role may not truncate; the owner may."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = ", ".join(f'"{name}"' for (name,) in cursor.fetchall() if name not in KEPT_TABLES)
    url = os.environ["DATABASE_OWNER_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {names}")


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(scope="session", autouse=True)
def plain_static_files():
    """Pages name their files without a manifest, so that tests need no collectstatic."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": plain}):
        yield


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


@pytest.fixture(autouse=True)
def messaging(settings):
    """Messaging in memory: no test reaches a network by mistake."""
    settings.MESSAGING_GATEWAY = "crm_site.messaging.memory.MemoryGateway"
    forget_gateway()
    return get_gateway()


@pytest.fixture
def actor():
    with acting_as(ACTOR):
        yield ACTOR


def open_tenant(tenant_id: str, name: str):
    return create_tenant(
        tenant_id=tenant_id, name=name, time_zone="Africa/Johannesburg", currency="ZAR"
    )


@pytest.fixture
def other_tenant(db):
    """The club that must never be seen. Ask for it beside ``tenant``."""
    return open_tenant("pinecrest", "Pinecrest Country Club")


@pytest.fixture
def tenant(db, other_tenant):
    """The club in scope for the test."""
    made = open_tenant("oakhill", "Oakhill Golf Club")
    with tenant_scope(made.pk):
        yield made


def make_user(email: str, role: Role | None, tenant) -> User:
    with transaction.atomic():
        user = User.objects.create_user(
            email, "correct horse battery", first_name=email.split("@")[0].title()
        )
    if role:
        with tenant_scope(tenant.pk), transaction.atomic():
            grant_membership(user=user, role=role, actor=ACTOR)
    return user


@pytest.fixture
def ann(tenant):
    """Owner of club one."""
    return make_user("ann@oakhill.test", Role.OWNER, tenant)


@pytest.fixture
def ben(tenant):
    """Reads club one only."""
    return make_user("ben@oakhill.test", Role.VIEWER, tenant)


@pytest.fixture
def cleo(tenant, other_tenant):
    """Owner of club two."""
    return make_user("cleo@pinecrest.test", Role.OWNER, other_tenant)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def as_ann(ann):
    """The browser of club one's owner."""
    return signed_in(ann)


@pytest.fixture
def as_ben(ben):
    """The browser of somebody who only reads."""
    return signed_in(ben)


@pytest.fixture
def as_cleo(cleo):
    """The browser of club two's owner."""
    return signed_in(cleo)


@pytest.fixture
def as_root(tenant):
    """The browser of a superuser."""
    return signed_in(User.objects.create_superuser("root@fairway.test", "correct horse battery"))


@pytest.fixture
def key_for():
    """Make an API key: ``key_for(tenant, "customers:read")`` returns the headers to send."""

    def make(tenant, *scopes):
        with tenant_scope(tenant.pk), transaction.atomic():
            _, token = issue_api_key(name="test", scopes=scopes, actor=ACTOR)
        return {"HTTP_AUTHORIZATION": f"Bearer {token}"}

    return make
