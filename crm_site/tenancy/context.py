"""Which tenant the running code works for, and what the database is told about it.

Both live in context variables, so a thread or a task never sees another's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Names of the PostgreSQL settings that policies and triggers read.
TENANT = "fairway.tenant_id"
USER = "fairway.user_id"
CREDENTIAL = "fairway.credential"
ACTOR = "fairway.actor"
IP_ADDRESS = "fairway.ip_address"
USER_AGENT = "fairway.user_agent"
CONSENT_WRITER = "fairway.consent_writer"
AUDIT = "fairway.audit"

SETTINGS = (TENANT, USER, CREDENTIAL, ACTOR, IP_ADDRESS, USER_AGENT, CONSENT_WRITER, AUDIT)

_settings: ContextVar[dict[str, str]] = ContextVar("fairway_settings", default={})  # noqa: B039 - never mutated


class NoTenantError(RuntimeError):
    """A tenant's rows were asked for while no tenant was in scope."""


def current_settings() -> dict[str, str]:
    """What the database should be told in the current transaction, by setting name."""
    return _settings.get()


@contextmanager
def local_settings(**values: str) -> Iterator[None]:
    """Tell the database more for a while; keys are the part after ``fairway.``."""
    named = {f"fairway.{key}": value for key, value in values.items()}
    token = _settings.set({**_settings.get(), **named})
    try:
        yield
    finally:
        _settings.reset(token)


def current_tenant_id() -> str | None:
    return _settings.get().get(TENANT) or None


def require_tenant_id() -> str:
    tenant_id = current_tenant_id()
    if tenant_id is None:
        raise NoTenantError("No tenant in scope: use tenant_scope() or TenantTask.")
    return tenant_id


@contextmanager
def tenant_scope(tenant_id: str) -> Iterator[None]:
    """Work for one tenant. Queries inside must run in a transaction, which carries the tenant."""
    with local_settings(tenant_id=str(tenant_id)):
        yield
