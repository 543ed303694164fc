"""Using the embedded servers: whoever comes first has them started, the last to leave stopped."""

import contextlib
import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crm_site.devstack.embedded import (
    EmbeddedServerError,
    data_dir,
    needs_postgres,
    needs_redis,
)
from crm_site.devstack.servers import EmbeddedPostgres, EmbeddedRedis, EmbeddedServer

START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 40.0
COMMANDS_WITHOUT_SERVERS = {
    *("up", "help", "version", "check", "collectstatic", "findstatic", "makemigrations"),
    *("makemessages", "compilemessages", "spectacular", "startapp"),
}
PROJECT = Path(__file__).resolve().parents[2]


class EmbeddedServers:
    """The servers under ``base``, in use by this process from ``enter`` to ``leave``."""

    def __init__(
        self,
        base: Path,
        *,
        postgres: bool = True,
        redis: bool = True,
        postgres_settings: dict[str, str] | None = None,
    ) -> None:
        self.base, self.has_redis = base, redis
        self.postgres = EmbeddedPostgres(base, postgres_settings) if postgres else None
        self._servers: list[EmbeddedServer] = [self.postgres] if self.postgres else []
        if redis:
            self._servers.append(EmbeddedRedis(base))
        self._users: IO[str] | None = None

    def enter(self) -> None:
        """Wait until all answer. Raises EmbeddedServerError with the log of one that does not."""
        self.base.mkdir(parents=True, exist_ok=True)
        with self._gate():
            self._users = (self.base / "users.lock").open("w")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                self._start()
            except BaseException:
                self._users.close()
                raise

    def leave(self) -> None:
        """Let go; if nobody else uses them, wait until they have stopped."""
        if self._users is None:
            return
        with self._gate():
            is_last = _try_lock(self._users)
            self._users.close()
            self._users = None
            if is_last:
                self._wait_for_keeper_to_end()

    def ensure_kept(self) -> bool:
        """Start a keeper if the one at work was killed. Returns whether that was needed."""
        if self._is_kept():
            return False
        with self._gate():
            if self._is_kept():
                return False
            self._start_keeper()
        return True

    @contextlib.contextmanager
    def _gate(self) -> Iterator[None]:
        """One at a time comes, goes, or looks after the keeper."""
        with (self.base / "start.lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        for server in self._servers:
            server.prepare()
        if not self._is_kept():
            self._start_keeper()
        for server in self._servers:
            self._wait_for(server)
            server.finish()

    def _start_keeper(self) -> None:
        command = [sys.executable, "-m", "crm_site.devstack.keeper", str(self.base)]
        if self.postgres:
            command += ["--postgres", json.dumps(self.postgres.settings)]
        if self.has_redis:
            command.append("--redis")
        with (self.base / "keeper.log").open("ab") as log:
            subprocess.Popen(  # noqa: S603 - our own program
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # It outlives us, until nobody is left.
            )

    def _wait_for(self, server: EmbeddedServer) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not server.is_ready():
            if time.monotonic() > deadline:
                log = server.log.read_text(errors="replace") if server.log.exists() else ""
                raise EmbeddedServerError(
                    f"{server.name} does not answer. {server.log} ends:\n{log[-2000:]}"
                )
            time.sleep(0.05)

    def _is_kept(self) -> bool:
        with (self.base / "keeper.lock").open("a") as keeper:
            return not _try_lock(keeper)

    def _wait_for_keeper_to_end(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while self._is_kept() and time.monotonic() < deadline:
            time.sleep(0.05)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def embedded_servers(base: Path, *, postgres: bool = True, redis: bool = True) -> Iterator[None]:
    """Use the servers under ``base`` for a while."""
    servers = EmbeddedServers(base, postgres=postgres, redis=redis)
    servers.enter()
    try:
        yield
    finally:
        servers.leave()


@contextlib.contextmanager
def servers_for_command(argv: list[str]) -> Iterator[None]:
    """The servers a ``manage.py`` command needs, when no address was given for them."""
    command = argv[1] if len(argv) > 1 else "help"
    postgres, redis = needs_postgres(), needs_redis()
    is_asking = "--help" in argv or "-h" in argv or command in COMMANDS_WITHOUT_SERVERS
    if is_asking or not (postgres or redis):
        yield
        return
    with embedded_servers(data_dir(), postgres=postgres, redis=redis):
        yield
