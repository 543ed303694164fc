"""The sandbox's own SQLite file. What it accepted survives a crash."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL,
    key TEXT NOT NULL, channel TEXT NOT NULL, template_id TEXT NOT NULL,
    customer_id TEXT NOT NULL, address TEXT NOT NULL, body TEXT NOT NULL, accepted_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_tenant ON messages (tenant, seq);
CREATE INDEX IF NOT EXISTS messages_by_person ON messages (tenant, customer_id, channel);
CREATE TABLE IF NOT EXISTS outcomes (
    tenant TEXT NOT NULL, key TEXT NOT NULL, body_hash TEXT NOT NULL, status TEXT NOT NULL,
    message_id TEXT, reason TEXT, decided_at REAL NOT NULL, PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, request INTEGER NOT NULL, at REAL NOT NULL,
    tenant TEXT NOT NULL, key TEXT NOT NULL, body_hash TEXT NOT NULL, answer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL,
    message_id TEXT, type TEXT NOT NULL, due_at REAL NOT NULL, body TEXT NOT NULL,
    delivered_at REAL, answer TEXT
);
CREATE INDEX IF NOT EXISTS events_waiting ON events (tenant, due_at) WHERE delivered_at IS NULL;
CREATE INDEX IF NOT EXISTS events_by_message ON events (message_id);
CREATE TABLE IF NOT EXISTS endpoints (
    tenant TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS segment_members (
    tenant TEXT NOT NULL, segment TEXT NOT NULL, customer_id TEXT NOT NULL,
    PRIMARY KEY (tenant, segment, customer_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
    tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
"""
KEPT_SECONDS = 30 * 24 * 3600
TABLES = ("messages", "outcomes", "attempts", "events", "segment_members", "segments")


class Store:
    """One connection per thread; writers take turns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._local = threading.local()
        self._writing = threading.Lock()
        self.connection().executescript(SCHEMA)

    def connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
        made: sqlite3.Connection = self._local.connection
        return made

    def close(self) -> None:
        """Give up this thread's connection."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()
            del self._local.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; nothing of it stays after an error."""
        connection = self.connection()
        with self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self.connection().execute(query, values).fetchall()

    def row(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.connection().execute(query, values).fetchone()
        return found

    def number(self, query: str, values: Sequence[Any] = ()) -> int:
        return int(self.connection().execute(query, values).fetchone()[0])

    def add_events(self, connection: sqlite3.Connection, events: Sequence[dict[str, Any]]) -> None:
        """``events`` hold ``due_at`` (Unix seconds), ``message_id`` and the CloudEvent ``body``."""
        connection.executemany(
            "INSERT OR IGNORE INTO events (id, tenant, message_id, type, due_at, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    *(event["body"]["id"], event["body"]["tenantid"], event["message_id"]),
                    *(event["body"]["type"], event["due_at"], json.dumps(event["body"])),
                )
                for event in events
            ],
        )

    def prune(self, now: float) -> None:
        """Let go of attempts and of events long told; messages stay until they are cleared."""
        with self.writing() as connection:
            connection.execute("DELETE FROM attempts WHERE at < ?", (now - KEPT_SECONDS,))
            connection.execute("DELETE FROM events WHERE delivered_at < ?", (now - KEPT_SECONDS,))

    def clear(self) -> None:
        """Forget everything but the endpoints."""
        with self.writing() as connection:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
