"""Segments that ask about other segments."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from segments.models import CustomerSegment
from segments.rules.errors import RuleError
from segments.rules.fields import Kind
from segments.rules.grammar import Group, Rule, leaves


def used_by(group: Group) -> dict[UUID, str]:
    """Ids of the segments that the rules name, each with the path of its first mention."""
    found: dict[UUID, str] = {}
    for leaf in leaves(group):
        if isinstance(leaf, Rule) and leaf.field.kind is Kind.SEGMENT:
            for segment_id in leaf.value:
                found.setdefault(segment_id, f"{leaf.path}.value")
    return found


def mentioned_in(criteria: Any) -> set[UUID]:
    """Ids of the segments that stored criteria name; whatever cannot be read is passed over."""
    found: set[UUID] = set()
    waiting = [criteria]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict) and part.get("field") == "segment":
            found |= _ids(part.get("value"))
        elif isinstance(part, dict) and "model" in part:
            found |= _ids([part.get("segment")])
        elif isinstance(part, dict):
            waiting.append(part.get("rules"))
    return found


def _ids(value: Any) -> set[UUID]:
    found = set()
    for item in value if isinstance(value, list) else []:
        try:
            found.add(UUID(item))
        except (ValueError, TypeError, AttributeError):
            continue
    return found


def check_segments(group: Group, *, asked_by: UUID | None = None) -> None:
    """Raise RuleError where a named segment is not there, or asks about ``asked_by`` itself,
    directly or through others.
    """
    check_mentioned(used_by(group), asked_by=asked_by)


def check_mentioned(used: Mapping[UUID, str], *, asked_by: UUID | None = None) -> None:
    """The same for segments that are ``used`` at these paths."""
    if not used:
        return
    asks = {
        pk: mentioned_in(criteria)
        for pk, criteria in CustomerSegment.objects.live().values_list("pk", "criteria")
    }
    for segment_id, path in used.items():
        if segment_id not in asks:
            raise RuleError(path, "There is no such segment.")
        if asked_by is not None and asked_by in _reached(segment_id, asks):
            raise RuleError(path, "This segment would ask about itself.")


def _reached(start: UUID, asks: dict[UUID, set[UUID]]) -> Iterable[UUID]:
    """``start`` and every segment it asks about in the end."""
    seen: set[UUID] = set()
    waiting = {start}
    while waiting:
        current = waiting.pop()
        seen.add(current)
        waiting |= asks.get(current, set()) - seen
    return seen
