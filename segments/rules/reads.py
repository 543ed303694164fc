"""What rules look at, so that a change leads to the segments it may concern.

Names are columns of a customer, names of what is counted (``activity``), and a segment asked about
as ``segment:<id>``.
"""

import json
from functools import lru_cache
from uuid import UUID

from segments.rules.errors import RuleError
from segments.rules.fields import Kind
from segments.rules.grammar import CountRule, Group, Leaf, leaves, parse

ANYTHING = "*"


def membership_of(segment_id: UUID) -> str:
    return f"segment:{segment_id}"


def reads(group: Group) -> frozenset[str]:
    """Everything the rules' answer hangs on, but time."""
    return frozenset(name for leaf in leaves(group) for name in _read_by(leaf))


def _read_by(leaf: Leaf) -> list[str]:
    if isinstance(leaf, CountRule):
        return [leaf.source.name]
    if leaf.field.kind is Kind.SEGMENT:
        return [membership_of(segment_id) for segment_id in leaf.value]
    return [leaf.field.source]


@lru_cache(maxsize=4_096)
def read_rules(criteria: str, combinator: str) -> tuple[Group, frozenset[str]] | None:
    """Stored rules, parsed, with what they read; None for what cannot be read any more.

    Kept by their very text, so that what one process saves no other can hold an old answer to.
    """
    try:
        group = parse(json.loads(criteria), combinator)
    except (RuleError, ValueError):
        return None
    return group, reads(group)
