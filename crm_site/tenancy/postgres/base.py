"""PostgreSQL backend that tells each transaction which tenant it serves.

Row-level security reads transaction-local settings, so nothing leaks through a pooled connection.
Before the first statement of a transaction, and whenever the scope has changed since, the backend
sends the settings of ``tenancy.context``. A statement outside a transaction could not carry a
tenant: with one in scope it is refused rather than answered with nothing.
"""

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base
from django.db.transaction import TransactionManagementError
from psycopg.pq import TransactionStatus

from crm_site.tenancy.context import SETTINGS, TENANT, current_settings

TELL = "SELECT " + ", ".join("set_config(%s, %s, true)" for _ in SETTINGS)


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: dict[str, str] | None = None
        self._is_connecting = False
        self.execute_wrappers.append(self._tell_before)

    def connect(self) -> None:
        # What is asked while connecting (the types of extensions) is no tenant's, and may well be
        # asked inside a scope: a worker's first query is.
        self._is_connecting = True
        try:
            super().connect()
        finally:
            self._is_connecting = False

    def _tell_before(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.tell_settings()
        return execute(sql, params, many, context)

    def tell_settings(self) -> None:
        """Send the settings in scope, unless this transaction already has them.

        Called for every statement through a cursor; call it before a bare ``COPY``.
        """
        wanted = current_settings()
        if self.connection is None or self._is_connecting:
            return
        if self.get_autocommit() and not self.in_atomic_block:
            if wanted.get(TENANT):
                raise TransactionManagementError(
                    "A tenant is in scope but no transaction is open: use transaction.atomic()."
                )
            return
        status = self.connection.info.transaction_status
        if status == TransactionStatus.IDLE:
            self._told = None  # A new transaction starts with nothing told.
        elif status == TransactionStatus.INERROR:
            return  # Let the statement report the broken transaction itself.
        if self._told == wanted or (self._told is None and not wanted):
            return
        values: list[str] = []
        for name in SETTINGS:
            values += [name, wanted.get(name, "")]
        with self.connection.cursor() as cursor:
            cursor.execute(TELL, values)
        self._told = wanted

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        # Rolling back to a savepoint also takes back settings told after it.
        self._told = {"": "unknown"}
