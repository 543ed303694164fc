"""How a file is written: what its bytes say about format, encoding and delimiter."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from customers.services.importing.errors import ImportFileError

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
ENCODINGS = {
    "utf-8": "UTF-8 (today's usual)",
    "cp1252": "Windows, Western Europe (Latin-1)",
    "utf-16": "UTF-16 (Excel's “Unicode text”)",
}
CSV, XLSX = "csv", "xlsx"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZIP, _OLD_EXCEL, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
SAMPLE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Layout:
    """``format`` is csv or xlsx; the rest matters for csv only."""

    format: str = CSV
    encoding: str = "utf-8"
    delimiter: str = ","
    has_bom: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Layout":
        return cls(**said)

    def choose(self, *, encoding: str = "", delimiter: str = "") -> "Layout":
        """The same with what a person chose instead; what is not on the list is passed over."""
        if self.format != CSV:
            return self
        return replace(
            self,
            encoding=encoding if encoding in ENCODINGS else self.encoding,
            delimiter=delimiter if delimiter in DELIMITERS else self.delimiter,
        )

    @property
    def codec(self) -> str:
        """Python's name; of a file with a byte order mark, the one that takes it off."""
        return "utf-8-sig" if self.encoding == "utf-8" else self.encoding


def detect_layout(pieces: Iterable[bytes]) -> Layout:
    """The layout of a file, of which all bytes are looked at. Raises ImportFileError."""
    sample, decoder, is_utf8 = bytearray(), codecs.getincrementaldecoder("utf-8")(), True
    for piece in pieces:
        if len(sample) < SAMPLE_BYTES:
            sample += piece[: SAMPLE_BYTES - len(sample)]
            _refuse_foreign(bytes(sample[:8]))
            if sample.startswith(_ZIP):
                return Layout(format=XLSX)
        if is_utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
    if not sample:
        raise ImportFileError("The file is empty.")
    encoding, has_bom = _encoding(bytes(sample), is_utf8=is_utf8)
    if encoding == "utf-16" and not has_bom:
        encoding = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    elif b"\0" in sample and encoding != "utf-16" and sample.count(0) > len(sample) // 10:
        raise ImportFileError("This is neither a CSV file nor an Excel workbook (.xlsx).")
    text = bytes(sample).decode(encoding, errors="replace").removeprefix("\ufeff")
    return Layout(encoding=encoding, has_bom=has_bom, delimiter=_delimiter(text))


def _refuse_foreign(beginning: bytes) -> None:
    if beginning.startswith(_OLD_EXCEL):
        raise ImportFileError(
            "This is a workbook of an old Excel (.xls). Save it as .xlsx or CSV, and upload that."
        )
    if beginning.startswith(_PDF):
        raise ImportFileError("This is a PDF. Upload a CSV file or an Excel workbook (.xlsx).")


def _encoding(sample: bytes, *, is_utf8: bool) -> tuple[str, bool]:
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding, True
    # Letters of the West take a zero byte each in UTF-16, and none in anything else.
    zeros = max(sample[::2].count(0), sample[1::2].count(0))
    if zeros > len(sample) // 4:
        return "utf-16", False
    return ("utf-8" if is_utf8 else "cp1252"), False


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into the same number of columns, the most there are."""
    lines = text.splitlines(keepends=True)[:30]
    if len(lines) == 30:
        lines = lines[:-1]  # The last of a sample may be cut off.

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return Counter(widths)[widths[0]] / len(widths), widths[0]

    best = max(DELIMITERS, key=evenness)
    return best if evenness(best)[1] > 1 else ","
