"""The processes that make up Fairway on one machine, and what must be in place before them."""

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from crm_site.devstack import sandbox
from crm_site.devstack.spawning import Child, Program

HOST = "127.0.0.1"
WEB_WORKERS, WEB_THREADS, TASK_PROCESSES = 2, 8, 3
QUEUES = "default,events,segments,dispatch,scores,matching"
# The children get the runtime role's address; the owner's stays with whoever migrates.
OWNER_VARIABLES = {"DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"}
REPLACED_VARIABLES = {"DATABASE_URL_FILE", "REDIS_URL_FILE"}


class StackError(Exception):
    """The stack cannot start; the message says what to do about it."""


def child_environment(port: int) -> dict[str, str]:
    """What every child is told: the addresses in use, and never the owner role's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OWNER_VARIABLES | REPLACED_VARIABLES
    }
    return kept | {
        "DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }


def children(port: int) -> list[Child]:
    """Web, worker, beat, and the Messaging sandbox unless a real service was named."""
    environment = child_environment(port)
    chosen = {
        "web": _program(_web_command(port), environment),
        "worker": _program(_worker_command(), environment),
        "beat": _program(_beat_command(), environment),
    }
    if settings.MESSAGING_IS_SANDBOX:
        command = sandbox.command(sandbox_dir(), sandbox_port(port), f"http://{HOST}:{port}")
        messaging = environment | {"MESSAGING_API_KEY": settings.MESSAGING_API_KEY}
        chosen["sandbox"] = _program(command, messaging)
    logs = settings.DATA_DIR / "logs"
    return [Child(name, program, logs / f"{name}.log") for name, program in chosen.items()]


def _program(command: list[str], environment: dict[str, str]) -> Program:
    # A worker that loses its broker while it stops in good order hangs; what it does is repeatable.
    return Program(command, settings.BASE_DIR, environment, orphan_signal="SIGKILL")


def sandbox_dir() -> Path:
    return Path(settings.DATA_DIR / "sandbox")


def sandbox_port(port: int) -> int:
    return port + 1


def _web_command(port: int) -> list[str]:
    memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes private files there
    heartbeat = ["--worker-tmp-dir", str(memory)] if os.access(memory, os.W_OK) else []
    return [
        *(sys.executable, "-m", "gunicorn", "crm_site.wsgi:application"),
        *("--bind", f"{HOST}:{port}", "--worker-class", "gthread"),
        *("--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS), "--timeout", "60"),
        # Longer than clients keep idle connections, so that none is closed in their face.
        *("--keep-alive", "75"),
        *("--graceful-timeout", "10", "--log-level", "warning", "--no-control-socket"),
        *heartbeat,
    ]


def _worker_command() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "crm_site", "worker", "-Q", QUEUES),
        *("--concurrency", str(TASK_PROCESSES), "--loglevel", "WARNING"),
        *("--without-gossip", "--without-mingle"),
    ]


def _beat_command() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "crm_site", "beat"),
        *("--loglevel", "WARNING", "--pidfile="),
    ]


def refuse_taken_ports(port: int) -> None:
    """Raises StackError if another program listens where we are to."""
    wanted = [port, sandbox_port(port)] if settings.MESSAGING_IS_SANDBOX else [port]
    for number in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, number))
            except (OSError, OverflowError) as error:
                raise StackError(
                    f"Port {number} is not free ({error}). Stop what uses it, or choose another "
                    f"with --port (two in a row are needed)."
                ) from error


def migrate() -> None:
    """Bring tables, policies and roles up to date, as the owner where its address is known."""
    if "owner" in connections:
        call_command("migrate", verbosity=0)
        connections["owner"].close()
        return
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise StackError(
            "The tables are not up to date. Run `manage.py migrate` with DATABASE_OWNER_URL, or "
            "give that variable to `up` as well."
        )


def seed_demo(port: int) -> None:
    """Make the demo clubs, in a process of its own and as the runtime role."""
    command = [sys.executable, "manage.py", "seed_demo"]
    program = _program(command, child_environment(port))
    seeding = subprocess.run(  # noqa: S603 - our own program
        program.command(), cwd=program.cwd, env=program.env, check=False
    )
    if seeding.returncode:
        raise StackError(
            "The demo clubs could not be made; the next `up` goes on where this one stopped. "
            "`up --no-demo` starts without them."
        )


def collect_static() -> None:
    """Collect static files, unless they are those collected last time."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp, state = root / ".collected", _static_state()
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Two stacks of one checkout share the directory.
        if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
            return
        call_command("collectstatic", interactive=False, clear=False, verbosity=0)
        stamp.write_text(state, encoding="utf-8")


def _static_state() -> str:
    """A fingerprint of every file that would be collected: its path, size and time."""
    files = sorted(_static_files())
    return hashlib.sha256("\n".join(files).encode()).hexdigest()


def _static_files() -> Iterator[str]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            yield f"{path} {found.st_size} {found.st_mtime_ns}"
