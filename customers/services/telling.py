"""Everything held about one person, written out: for programs as JSON, for people as a page."""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils.html import format_html

from customers.services.holdings import Holding, Row, Subject, holdings

IN_MEMORY = 5 * 1024 * 1024  # What is bigger goes through a temporary file.


def tell_as_json(subject: Subject, *, now: datetime) -> IO[bytes]:
    """A file with one JSON object: a list for each section. Read whole before it is returned, so
    it outlives the transaction."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - given away
    _write(file, _json(subject, now))
    file.seek(0)
    return file


def tell_as_zip(subject: Subject, *, now: datetime, club: str) -> IO[bytes]:
    """The same as ``data.json``, and as ``read-me.html`` for people to read."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - given away
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("data.json", "w", force_zip64=True) as part:
            _write(part, _json(subject, now))
        with archive.open("read-me.html", "w", force_zip64=True) as part:
            _write(part, _html(subject, now, club))
    file.seek(0)
    return file


def _write(file: IO[bytes], texts: Iterable[str]) -> None:
    for text in texts:
        file.write(text.encode())


def _json(subject: Subject, now: datetime) -> Iterator[str]:
    yield f'{{"customerId": {_dump(subject.profile.pk)}, "exportedAt": {_dump(now)}'
    for section in holdings():
        yield f", {_dump(section.name)}: ["
        for number, row in enumerate(section.rows(subject)):
            yield (",\n" if number else "\n") + _dump(row)
        yield "]\n"
    yield "}\n"


def _dump(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _html(subject: Subject, now: datetime, club: str) -> Iterator[str]:
    context = {"name": subject.profile.name, "club": club, "now": now}
    yield render_to_string("customers/export_head.html", context)
    for section in holdings():
        yield from _html_of(section, subject)
    yield "</main></body></html>\n"


def _html_of(section: Holding, subject: Subject) -> Iterator[str]:
    yield format_html("<section><h2>{}</h2>", section.title)
    is_empty = True
    for row in section.rows(subject):
        is_empty = False
        yield "<dl>"
        for name, value in _shown(row):
            yield format_html("<dt>{}</dt><dd>{}</dd>", name, value)
        yield "</dl>\n"
    yield "<p>Nothing.</p></section>\n" if is_empty else "</section>\n"


def _shown(row: Row) -> Iterator[tuple[str, str]]:
    """Fields that say something, in words: ``firstName`` as *First name*."""
    for name, value in row.items():
        if value in (None, "", [], {}):
            continue
        words = "".join(f" {char.lower()}" if char.isupper() else char for char in name)
        yield words.strip().capitalize(), _in_words(value)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%d %B %Y, %H:%M} UTC"
    if isinstance(value, dict | list):
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    return str(value)
