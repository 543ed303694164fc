"""A survivor's row without what a merge brought, and with what happened since. Pure.

Rows are those of the snapshots: JSON values by column name. A column nobody touched since the merge
goes back to what it was; one that was touched keeps the newer word.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from customers.models.profile import COMPUTED_FIELDS, CONSENT_FIELDS
from customers.services.counters import COUNTERS
from customers.services.merge_snapshots import Row

STAMPS = ("updated_at", "updated_by")


@dataclass
class Rewound:
    """``row`` without consent, which has its own writer. ``kept`` names fields with a newer word.

    ``is_changed``: anything at all moved since the merge. ``is_recount_due``: the counters did, so
    that they must be counted from rows.
    """

    row: Row
    kept: list[str]
    is_changed: bool
    is_recount_due: bool


def rewind(*, before: Row, after: Row, now: Row) -> Rewound:
    """What the survivor holds once a merge is undone."""
    columns = [name for name in before if name in now and name not in CONSENT_FIELDS]
    touched = [name for name in columns if now[name] != after[name] and name not in STAMPS]
    row = {name: now[name] if name in touched else before[name] for name in columns}
    if "tags" in touched:
        brought = [tag for tag in after["tags"] if tag not in before["tags"]]
        row["tags"] = [tag for tag in now["tags"] if tag not in brought]
    for name in ("external_ids", "source_times"):
        if name in touched:
            row[name] = _rewind_object(before[name], after[name], now[name])
    row["external_ids"] = row["external_ids"] or None
    if "lifetime_value" in touched:
        row["lifetime_value"] = _rewind_money(before, after, now)
    kept = [
        name
        for name in touched
        if name not in COMPUTED_FIELDS and row[name] != before[name] and name not in STAMPS
    ]
    return Rewound(
        row=row,
        kept=kept,
        is_changed=bool(touched) or any(now[name] != after[name] for name in CONSENT_FIELDS),
        is_recount_due=any(name in touched for name in COUNTERS),
    )


def _rewind_object(before: Any, after: Any, now: Any) -> Any:
    """The same for each key of an object, and of the objects in it."""
    before, after, now = before or {}, after or {}, now or {}
    row = {}
    for key in dict.fromkeys([*before, *now]):
        was, became, held = before.get(key), after.get(key), now.get(key)
        if isinstance(held, dict) and isinstance(became, dict):
            value = _rewind_object(was, became, held)
        else:
            value = was if held == became else held
        if value is not None and value != {}:
            row[key] = value
    return row


def _rewind_money(before: Row, after: Row, now: Row) -> Any:
    """Payments since stay on top of what it was; a total that SCL told since stands."""
    if _total_told_at(after) != _total_told_at(now) or now["lifetime_value"] is None:
        return now["lifetime_value"]
    was, became, held = (Decimal(str(row["lifetime_value"] or 0)) for row in (before, after, now))
    return str(was + held - became)


def _total_told_at(row: Row) -> Any:
    return (row["source_times"] or {}).get("scl", {}).get("lifetime_value")
