"""What the rule builder is told while somebody writes."""

from typing import Any

from django.urls import reverse

from segments.admin.members import customer_url
from segments.models import CustomerSegment
from segments.services.changes_ahead import ChangesAhead, Side
from segments.services.previews import Preview
from segments.services.usage import uses_of


def preview_json(
    found: Preview, segment: CustomerSegment | None, ahead: ChangesAhead | None
) -> dict[str, Any]:
    """``difference`` compares with the members of a saved segment; null where there is none."""
    return {
        "count": found.count,
        "isExact": found.is_exact,
        "sentence": found.sentence,
        "total": found.total,
        "steps": [
            {
                "path": step.path,
                "depth": step.depth,
                "isGroup": step.is_group,
                "sentence": step.sentence,
                "count": step.count,
                "kept": step.kept,
            }
            for step in found.steps
        ],
        "reachable": found.reachable,
        "sample": _people(found.sample),
        "difference": _difference(segment, ahead) if segment and ahead else None,
    }


def _difference(segment: CustomerSegment, ahead: ChangesAhead) -> dict[str, Any]:
    return {
        "joining": _side(ahead.joining),
        "leaving": _side(ahead.leaving),
        "usedIn": [
            {
                "kind": use.kind.capitalize(),
                "name": use.name,
                "url": reverse(f"admin:{use.admin_page}", args=[use.pk]),
            }
            for use in uses_of(segment)
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    return {"count": side.count, "sample": _people(side.sample)}


def _people(people: Any) -> list[dict[str, str]]:
    return [{"name": each.name, "url": customer_url(each.pk)} for each in people]
