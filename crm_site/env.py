"""Typed reading of environment variables. A value that is not understood stops the start."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable, or the contents of the file that ``<name>_FILE`` points at."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def boolean(name: str, *, default: bool) -> bool:
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")
    return raw in TRUE


def integer(name: str, default: int) -> int:
    raw = os.environ.get(name, "").strip()
    try:
        return int(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks dropped."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def postgres(url: str, *, engine: str, options: dict[str, object]) -> dict[str, object]:
    """Django's database settings for a ``postgresql://`` URL.

    The query part is passed to libpq; ``host=/directory`` names a Unix socket.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("A database URL must start with postgresql://.")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": engine,
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or (parts.hostname or ""),
        "PORT": query.pop("port", "") or str(parts.port or ""),
        "OPTIONS": {**query, **options},
    }


def kept_secret(name: str, make: Callable[[], str]) -> str:
    """The variable, or on one machine a secret made once and kept in ``DATA_DIR``/secrets.json."""
    given = text(name)
    if given:
        return given
    path = Path(os.environ.get("DATA_DIR", ".data")).absolute() / "secrets.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes starting at once must agree, so the file is read and written under a lock.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        secrets = json.loads(file.read() or "{}")
        if name not in secrets:
            secrets[name] = make()
            file.seek(0)
            json.dump(secrets, file)
            file.truncate()
        return str(secrets[name])
