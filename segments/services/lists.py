"""Reading a list of identifiers from a CSV or XLSX file."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from customers.services.finding import IdentifierKind
from segments.services.refreshing import SegmentError

# How a heading is called, without case, blanks and signs, and what is in the column then.
HEADINGS = {
    **dict.fromkeys(("id", "customerid", "fairwayid"), IdentifierKind.ID),
    **dict.fromkeys(("email", "emailaddress"), IdentifierKind.EMAIL),
    **dict.fromkeys(("phone", "phonenumber", "mobile", "cell"), IdentifierKind.PHONE),
    **dict.fromkeys(
        ("membernumber", "memberno", "member", "sclmemberid"), IdentifierKind.MEMBER_NUMBER
    ),
}


@dataclass(frozen=True)
class Line:
    """One identifier as it stood in a file; lines count from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class ReadList:
    kind: IdentifierKind
    lines: list[Line]


def read_list(file: BinaryIO, name: str) -> ReadList:
    """The identifiers of a file. Under a heading that is known, its column and that kind; in a file
    without headings the first column, of any kind.

    Raises SegmentError for a file that is neither CSV in UTF-8 nor XLSX.
    """
    rows = list(_xlsx(file) if name.lower().endswith(".xlsx") else _csv(file))
    column, kind, first = 0, IdentifierKind.ANY, 0
    for index, heading in enumerate(rows[0] if rows else ()):
        if (known := HEADINGS.get(_plain(heading))) is not None:
            column, kind, first = index, known, 1
            break
    lines = [
        Line(number, row[column].strip())
        for number, row in enumerate(rows[first:], start=first + 1)
        if len(row) > column and row[column].strip()
    ]
    return ReadList(kind, lines)


def read_text(text: str) -> ReadList:
    """One identifier a line, of any kind."""
    lines = [
        Line(number, line.strip(" \t,;"))
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip(" \t,;")
    ]
    return ReadList(IdentifierKind.ANY, lines)


def _plain(heading: str) -> str:
    return "".join(letter for letter in heading.casefold() if letter.isalnum())


def _csv(file: BinaryIO) -> Iterator[Sequence[str]]:
    try:
        text = file.read().decode("utf-8-sig")
        sample = text[:2_000]
        separator = ";" if sample.count(";") > sample.count(",") else ","
        yield from csv.reader(io.StringIO(text), delimiter=separator)
    except (UnicodeDecodeError, csv.Error):
        raise SegmentError("This is no CSV file in UTF-8.", path="file", code="invalid") from None


def _xlsx(file: BinaryIO) -> Iterator[Sequence[str]]:
    from openpyxl import load_workbook  # Heavy, and few ask for it.

    try:
        sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
        for row in sheet.iter_rows(values_only=True):
            yield ["" if cell is None else _cell(cell) for cell in row]
    except Exception as error:
        message = "This XLSX file cannot be read."
        raise SegmentError(message, path="file", code="invalid") from error


def _cell(value: object) -> str:
    """A number as people write it: member number 1042, not 1042.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
