"""What a segment by model asks for, as stored in ``criteria``."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm_site.errors import DomainError
from segments.choices import SmartModel
from segments.rules.errors import RuleError

MOST_PEOPLE = 100_000
KEYS = {"model", "segment", "size", "minScore"}


@dataclass(frozen=True)
class SmartQuestion:
    """Who is most like what; the ``size`` best, or all from ``min_score`` (0 to 1) on.

    ``segment`` is the one whose members are looked for again, for a look-alike only.
    """

    model: SmartModel
    segment: UUID | None = None
    size: int | None = None
    min_score: float | None = None

    def as_json(self) -> dict[str, Any]:
        said = {
            "model": self.model.value,
            "segment": str(self.segment) if self.segment else None,
            "size": self.size,
            "minScore": self.min_score,
        }
        return {name: value for name, value in said.items() if value is not None}


class TooLittleError(DomainError):
    """There is too little to learn from, or nothing to be learned; says why in plain words."""

    code = "too_little"


def parse_smart(criteria: Any) -> SmartQuestion:
    """Raises RuleError with the path of the fault."""
    if not isinstance(criteria, dict):
        raise RuleError("criteria", 'Say the model: {"model": "LAPSE", "size": 500}.')
    unknown = sorted(set(criteria) - KEYS)
    if unknown:
        raise RuleError(f"criteria.{unknown[0]}", "There is no such setting of a model.")
    model = criteria.get("model")
    if model not in SmartModel.values:
        raise RuleError("criteria.model", f"One of {', '.join(SmartModel.values)}.")
    size, min_score = _size(criteria.get("size")), _score(criteria.get("minScore"))
    if (size is None) == (min_score is None):
        raise RuleError("criteria.size", "Say how many, or from which score on: one of the two.")
    kind = SmartModel(model)
    return SmartQuestion(kind, _segment(kind, criteria.get("segment")), size, min_score)


def _size(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_PEOPLE:
        raise RuleError("criteria.size", f"A whole number from 1 to {MOST_PEOPLE:,}.")
    return value


def _score(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise RuleError("criteria.minScore", "A number between 0 and 1, as in 0.7.")
    return float(value)


def _segment(model: SmartModel, value: Any) -> UUID | None:
    if model is not SmartModel.LOOKALIKE:
        if value is not None:
            raise RuleError("criteria.segment", "Only a look-alike is like a segment.")
        return None
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise RuleError("criteria.segment", "Say like whose members: a segment's id.") from None
