"""Time limits for single pieces of work in the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def statement_timeout(seconds: float) -> Iterator[None]:
    """Each statement inside may take so long; a longer one raises ``OperationalError``.

    Runs in a savepoint, so the transaction around it can go on after a timeout. What was set
    before is set again: a released savepoint would leave the limit to the rest of the transaction.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            set_limit(f"{int(seconds * 1000)}ms")
        yield
        set_limit(before)


def set_limit(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
