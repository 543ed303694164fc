"""The rows of a file one after the other, whatever it was written with."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from customers.services.importing.errors import ImportFileError
from customers.services.importing.layouts import CSV, Layout

MAX_COLUMNS = 300
# What a workbook may unpack to. A sheet is read as a stream; its texts are held in memory.
MAX_SHEET_BYTES, MAX_TEXTS_BYTES = 2 * 1024**3, 200 * 1024**2


@dataclass(frozen=True)
class SourceRow:
    """A row as it stands in the file; ``fault`` where it could not be read as one."""

    line: int
    cells: list[str]
    fault: str = ""


class _Pieces(io.RawIOBase):
    """A file object over pieces of bytes, which says how many it has given."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._left, self.given = iter(pieces), b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        self.given += size
        return size


class FileRows:
    """A file's ``header`` and, once, its rows. ``given`` is how many of its bytes were read so far.

    Raises ImportFileError where there is no header that could be one; while rows are read, a fault
    after which nothing can be read ends them with a row that says so.
    """

    def __init__(self, pieces: Iterable[bytes], layout: Layout) -> None:
        self._source = _Pieces(pieces)
        self._rows = (
            _csv_rows(self._source, layout) if layout.format == CSV else _sheet(self._source)
        )
        first = next(self._rows, None)
        if first is None:
            raise ImportFileError("The file is empty.")
        if first.fault:
            raise ImportFileError(first.fault)
        self.header = [cell.strip() for cell in first.cells]
        if len(self.header) > MAX_COLUMNS:
            raise ImportFileError(
                f"The file has {len(self.header):,} columns; at most {MAX_COLUMNS} can be read. "
                "Is this the right file, and is the delimiter right?"
            )

    @property
    def given(self) -> int:
        return self._source.given

    def __iter__(self) -> Iterator[SourceRow]:
        width = len(self.header)
        for row in self._rows:
            if row.fault:
                yield row
            elif len(row.cells) != width:
                fault = f"{len(row.cells)} cells where the header has {width}."
                yield SourceRow(row.line, row.cells, fault)
            elif any("\0" in cell for cell in row.cells):
                yield SourceRow(row.line, row.cells, "A cell holds a NUL character.")
            else:
                yield row


def _csv_rows(source: _Pieces, layout: Layout) -> Iterator[SourceRow]:
    text = io.TextIOWrapper(
        io.BufferedReader(source, 1024 * 256), encoding=layout.codec, newline="",
        errors="replace" if layout.encoding == "cp1252" else "strict",
    )  # fmt: skip
    reader = csv.reader(text, delimiter=layout.delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeError) as error:
            fault = f"This line cannot be read, nor can what follows: {error}."
            yield SourceRow(reader.line_num, [], fault)
            return
        if any(cell.strip() for cell in cells):
            yield SourceRow(reader.line_num, cells)


def _sheet(source: _Pieces) -> Iterator[SourceRow]:
    from openpyxl import load_workbook  # Not before a workbook comes: it is big.

    with tempfile.TemporaryFile() as file:
        while piece := source.read(1024 * 1024):
            file.write(piece)
        _refuse_bomb(file)
        with _told_plainly():
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise ImportFileError("The workbook has no sheet.")
        sheet.reset_dimensions()  # What it says of its own size may be wrong.
        width = 0
        rows = sheet.iter_rows(values_only=True)
        for line in _counting():
            with _told_plainly():
                values = next(rows, None)
            if values is None:
                return
            cells = [_cell(value) for value in values[: MAX_COLUMNS + 1]]
            while cells and len(cells) > width and not cells[-1].strip():
                cells.pop()
            if any(cell.strip() for cell in cells):
                width = width or len(cells)
                # A row of a sheet ends with its last filled cell.
                yield SourceRow(line, cells + [""] * (width - len(cells)))


def _counting() -> Iterator[int]:
    line = 0
    while True:
        line += 1
        yield line


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Whatever openpyxl stumbles over becomes one plain sentence."""
    try:
        yield
    except Exception as error:
        raise ImportFileError(
            "This workbook cannot be read. Open it, save it anew as .xlsx, and upload that."
        ) from error


def _refuse_bomb(file: Any) -> None:
    """A workbook is a zip file; what it would unpack to is written in it, and zipfile unpacks no
    more than that."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ImportFileError("This is not an Excel workbook: it cannot be unpacked.") from error
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise ImportFileError("This is a zip file, but not an Excel workbook (.xlsx).")
    texts = sum(part.file_size for part in parts if not part.filename.startswith("xl/worksheets/"))
    sheets = sum(part.file_size for part in parts if part.filename.startswith("xl/worksheets/"))
    if texts > MAX_TEXTS_BYTES or sheets > MAX_SHEET_BYTES or len(parts) > 10_000:
        raise ImportFileError(
            "This workbook would unpack to more than we read. Save it as CSV, and upload that."
        )


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if (value.hour, value.minute, value.second) == (0, 0, 0):
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
