"""The process that keeps the embedded servers of one ``DATA_DIR`` running while somebody uses them.

Users hold a shared lock on ``users.lock``. The kernel lets go of it however a user ends, so the
keeper needs no list: once it can have the lock for itself, nobody is left and it stops the servers.
"""

import argparse
import contextlib
import fcntl
import json
import logging
import signal
import sys
import time
from pathlib import Path

from crm_site.devstack.servers import EmbeddedPostgres, EmbeddedRedis, EmbeddedServer
from crm_site.devstack.spawning import Child, stop_all

POLL_SECONDS = 0.2
STOP_TIMEOUT_SECONDS = 30.0
logger = logging.getLogger("keeper")


def main() -> None:
    parser = argparse.ArgumentParser(prog="keeper", description="Keeps the embedded servers up.")
    parser.add_argument("base", type=Path)
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--postgres", default="", help="settings as a JSON object")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    servers: list[EmbeddedServer] = []
    if options.postgres:
        servers.append(EmbeddedPostgres(options.base, json.loads(options.postgres)))
    if options.redis:
        servers.append(EmbeddedRedis(options.base))
    with (
        (options.base / "keeper.lock").open("w") as own,
        (options.base / "users.lock").open() as users,
    ):
        if not _take(own.fileno()):
            sys.exit("Another keeper is at work.")
        keep(servers, users.fileno())


def _take(lock: int) -> bool:
    """Whether the lock is ours. Those who ask whether there is a keeper hold it for a moment."""
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.1)
    return False


def keep(servers: list[EmbeddedServer], users: int) -> None:
    """Run the servers until nobody uses them or we are asked to stop."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    children = [Child(server.name, server.program(), server.log) for server in servers]
    while not stopping and not _is_unused(users):
        for server, child in zip(servers, children, strict=True):
            if child.has_ended():
                logger.warning("%s ended with %s", child.name, child.note_end())
            if child.is_due():
                server.clear_leftovers()
                child.start()
        time.sleep(POLL_SECONDS)
    stop_all(children[::-1], timeout_seconds=STOP_TIMEOUT_SECONDS)


def _is_unused(users: int) -> bool:
    """Whether nobody else holds the lock; if so we hold it, so that newcomers wait."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main()
