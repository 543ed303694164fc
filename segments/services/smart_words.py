"""What a model does and why it found somebody, in plain words."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from segments.choices import SmartModel
from segments.rules.smart import SmartQuestion


def question_sentence(question: SmartQuestion, names: Mapping[UUID, str]) -> str:
    """``names`` are the segments' own."""
    if question.model is SmartModel.LOOKALIKE and question.segment is not None:
        name = names.get(question.segment, "a segment that is gone")
        who = f"who look most like members of “{name}” and are not in it"
    elif question.model is SmartModel.LAPSE:
        who = "most likely to stay away for the next three months"
    else:
        who = "most likely to come back within three months"
    if question.size is not None:
        return f"The {question.size:,} customers {who}."
    return f"Customers {who}: from a score of {question.min_score:.0%} on."


def reason_words(reason: Mapping[str, Any]) -> str:
    """One of the ``match_reasons`` of a member."""
    value = reason.get("value")
    count = round(value) if isinstance(value, int | float) else None
    match reason.get("feature"):
        case "silence":
            return "Has never come" if count is None else f"Last came {_days(count)} ago"
        case "year":
            return f"Came on {_days(count or 0)} in the past year"
        case "slowing":
            return _pace(count or 0)
        case "breadth":
            return f"{count or 0} of playing, competing and paying in half a year"
        case "attention":
            return f"{_many(count or 0, 'message')} opened or clicked in 90 days"
        case "tenure":
            known = "No date of joining" if count is None else f"Member for {_many(count, 'year')}"
            return known
        case "spending":
            return f"Spent {(value or 0) / 100:,.2f} in the past year"
        case "member":
            return "Has a membership" if count else "Has no membership"
        case "age":
            return "Age not known" if count is None else f"{count} years old"
        case "handicap":
            return "Handicap not known" if value is None else f"Handicap {value:g}"
        case other:
            return str(other)


def _pace(more: int) -> str:
    if more == 0:
        return "Comes as often as in the season before"
    change = "more" if more > 0 else "fewer"
    return f"Came on {_days(abs(more), change)} than in the 90 days before"


def _days(count: int, which: str = "") -> str:
    return _many(count, f"{which} day".strip())


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def quality_sentence(model: str, quality: Mapping[str, Any]) -> str:
    """How good it is, for somebody who has never heard of AUC."""
    came_true = {
        SmartModel.LAPSE: "really stayed away",
        SmartModel.RETURN: "really came back",
        SmartModel.LOOKALIKE: "really were members",
    }[SmartModel(model)]
    precision, base = quality["precision"], quality["base_rate"]
    times = f", {precision / base:.1f} times as many" if base else ""
    return (
        f"Tried on {quality['held_out_count']:,} people it had not seen: of those it would have "
        f"chosen, {precision:.0%} {came_true}; of everybody {base:.0%}{times}. "
        f"Ranking: {quality['auc']:.2f} (0.5 is guessing, 1 is perfect). "
        f"About {quality['expected_count']:,} people would be in it now."
    )
