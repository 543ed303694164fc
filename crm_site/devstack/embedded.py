"""Where the embedded PostgreSQL and Redis of one ``DATA_DIR`` are found.

Both listen on Unix sockets only, in a directory nobody else may enter, so two stacks never meet
and nothing is open to the network.
"""

import hashlib
import os
from pathlib import Path
from urllib.parse import quote

from crm_site import env

SUPERUSER, OWNER, RUNTIME, DATABASE = "postgres", "fairway_owner", "fairway_app", "fairway"
SOCKET_PATH_LIMIT = 85  # sockaddr_un holds 108 bytes, the sockets' own names included.


class EmbeddedServerError(RuntimeError):
    """An embedded server did not start; the message ends with its own log."""


def data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR") or ".data").absolute()


def needs_postgres() -> bool:
    return not env.text("DATABASE_URL")


def needs_redis() -> bool:
    return not env.text("REDIS_URL")


def run_dir(base: Path) -> Path:
    """Where the sockets are; elsewhere when the path is too long for a socket."""
    path = base / "run"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:16]
    # Not TMPDIR: every process of the stack must come to the same answer.
    return Path(f"/tmp/fairway-{os.geteuid()}-{digest}")  # noqa: S108 - entered only when private


def database_url(base: Path, role: str, database: str = DATABASE) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(run_dir(base)))}"


def redis_url(base: Path) -> str:
    return f"unix://{quote(str(run_dir(base)))}/redis.sock"
