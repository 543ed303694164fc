"""Reading what comes in at the doors: CloudEvents 1.0 in JSON, one or an array.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 40
LONGEST = {"id": 255, "source": 32, "type": 128, "time": 64}
# Clocks differ a little; a day ahead is a mistake.
MOST_AHEAD = timedelta(days=1)
# RFC 3339 with its offset, which CloudEvents asks for.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class BodyError(Exception):
    """The body as a whole cannot be taken; ``status`` is the HTTP answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Rejected:
    """One event of a body that was not taken in, and why."""

    index: int
    id: str | None
    code: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Received:
    """One event as it came: its names, its time in UTC, its whole body and that body's hash."""

    index: int
    id: str
    source: str
    type: str
    time: datetime
    body: dict[str, Any]
    hash: str

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.id


class _Unstorable:
    """Stands for a number that JSON may say and PostgreSQL cannot hold."""


def _integer(digits: str) -> int | _Unstorable:
    return int(digits) if len(digits) <= MAX_DIGITS else _Unstorable()


def _float(digits: str) -> float | _Unstorable:
    number = float(digits)
    return _Unstorable() if number in (float("inf"), float("-inf")) else number


def _constant(name: str) -> _Unstorable:
    return _Unstorable()


def read_body(raw: bytes, *, most: int | None = None) -> tuple[list[Any], bool]:
    """The events of a body, unchecked yet, and whether it was an array.

    Raises BodyError: 413 over ``MAX_BODY_BYTES``, 400 for what is no JSON object or array, and for
    more than ``most`` events.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise too_large()
    try:
        value = json.loads(
            raw.decode(), parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
    except RecursionError:
        raise BodyError(400, "too_deep", "This is nested too deep to read.") from None
    except ValueError as error:
        raise BodyError(400, "unreadable", f"This is not JSON in UTF-8: {error}.") from None
    if isinstance(value, dict):
        if depth_of(value) > MAX_DEPTH:
            raise BodyError(400, "too_deep", f"At most {MAX_DEPTH} levels of nesting.")
        return [value], False
    if not isinstance(value, list):
        raise BodyError(400, "unreadable", "One event or an array of events is expected.")
    if most is not None and len(value) > most:
        raise BodyError(400, "too_many", f"At most {most:,} events in one request.")
    return value, True


def too_large() -> BodyError:
    return BodyError(413, "too_large", "A body has at most 5 MiB.")


def depth_of(value: Any) -> int:
    """How deep objects and arrays nest; counting stops just over ``MAX_DEPTH``."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def check_event(
    index: int, event: Any, *, tenant_id: str, source: str | None, now: datetime
) -> Received | Rejected:
    """The event if it may come in for this tenant; ``source`` where the door is one source's."""

    def reject(code: str, message: str) -> Rejected:
        shown = event.get("id") if isinstance(event, dict) else None
        is_fit = isinstance(shown, str) and _is_storable(shown)
        return Rejected(index, shown[:255] if is_fit and shown else None, code, message)

    if not isinstance(event, dict):
        return reject("invalid", "An event is a JSON object.")
    if depth_of(event) > MAX_DEPTH:
        return reject("too_deep", f"At most {MAX_DEPTH} levels of nesting.")
    for path, value in _leaves(event, ""):
        if isinstance(value, _Unstorable):
            return reject("invalid_number", f"{path}: this number cannot be stored.")
        if not _is_storable(value):
            return reject("invalid_text", f"{path}: this text has characters we cannot store.")
    if event.get("specversion") != "1.0":
        return reject("invalid_specversion", 'specversion: "1.0" is expected.')
    for name, longest in LONGEST.items():
        value = event.get(name)
        if not isinstance(value, str) or not value.strip():
            return reject(f"invalid_{name}", f"{name}: text is required.")
        if len(value) > longest:
            return reject(f"invalid_{name}", f"{name}: at most {longest} characters.")
    if source is not None and event["source"] != source:
        return reject("source_mismatch", f"source: this endpoint takes events of {source} only.")
    if event.get("tenantid", tenant_id) != tenant_id:
        return reject("tenant_mismatch", "tenantid: not the tenant of these credentials.")
    time = read_time(event["time"])
    if time is None:
        return reject("invalid_time", "time: RFC 3339 with its offset, 2026-11-22T06:30:00Z.")
    if time > now + MOST_AHEAD:
        return reject("invalid_time", "time: more than a day ahead.")
    if not isinstance(event.get("data"), dict):
        return reject("invalid_data", "data: an object is expected.")
    if "json" not in str(event.get("datacontenttype") or "json"):
        return reject("invalid_datacontenttype", "datacontenttype: JSON only.")
    return Received(
        index, event["id"], event["source"], event["type"], time, event, body_hash(event)
    )


def read_time(text: str) -> datetime | None:
    """An RFC 3339 time in UTC; None for anything else."""
    if not TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def body_hash(event: dict[str, Any]) -> str:
    """SHA-256 of the event in canonical JSON: the order of its names does not matter."""
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every name, text and number we could not keep, with its path. Depth is checked before."""
    if isinstance(value, dict):
        for name, child in value.items():
            if not _is_storable(name):
                yield path or "event", name
            yield from _leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _leaves(child, f"{path}[{number}]")
    elif isinstance(value, str | _Unstorable):
        yield path, value


def _is_storable(value: Any) -> bool:
    """PostgreSQL holds neither NUL nor halves of surrogate pairs."""
    if not isinstance(value, str) or value.isascii():
        return not isinstance(value, str) or "\0" not in value
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
