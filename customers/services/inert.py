"""Cells that a spreadsheet shows and does not carry out."""

import re
from typing import Any

# What Excel, LibreOffice and Sheets take for the start of a formula (OWASP, "CSV Injection").
STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# A number or a phone number calculates nothing, and reads better as it is.
HARMLESS = re.compile(r"[+-]?\d[\d ]*(\.\d+)?")


def inert(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula.

    Also one that only begins with space: it is trimmed by some.
    """
    if text.lstrip(" ").startswith(STARTS_FORMULA) and not HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def cell(value: Any) -> str:
    """A value as the text of one cell, inert. Lists are joined by semicolons, as imports read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return inert(";".join(str(item) for item in value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return inert(str(value))
