"""Reading JSON that is safe to store."""

import codecs
import json
import math
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 64


class JsonParser(BaseParser):
    """JSON of at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes.

    Refused, since PostgreSQL could not store it: NUL characters, halves of surrogate pairs,
    infinite numbers; and nesting deeper than ``MAX_DEPTH``.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        # Django's own request reads the body within its limit; a bare stream has none.
        raw = getattr(stream, "body", None)
        return read_json(stream.read() if raw is None else raw)


def read_json(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises ParseError saying what is wrong with it."""
    try:
        text = codecs.decode(raw, "utf-8-sig")
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"This is not JSON we can read: {error}") from None
    _refuse_unstorable(value, has_escapes="\\u" in text or "\0" in text)
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_unstorable(value: Any, *, has_escapes: bool) -> None:
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, dict):
            waiting += [(child, depth + 1) for child in item.values()]
            texts = [*item] if has_escapes else []
        elif isinstance(item, list):
            waiting += [(child, depth + 1) for child in item]
            texts = []
        else:
            texts = [item] if has_escapes and isinstance(item, str) else []
            if isinstance(item, float) and math.isinf(item):
                raise ParseError("A number here is too large.")
        if depth > MAX_DEPTH + 1:
            raise ParseError(f"This is nested deeper than {MAX_DEPTH} levels.", code="too_deep")
        for text in texts:
            if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
                raise ParseError("A text here has characters that cannot be stored.")
