"""Why two customers may be one person, for people: a sentence, and what speaks for and against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from customers.choices import CandidateKind, DuplicateResolution
from customers.matching.explaining import check, describe
from customers.models import DuplicateCandidate

LABELS = {
    "name": "Name",
    "firstName": "First name",
    "email": "E-mail",
    "phoneNumber": "Phone",
    "dateOfBirth": "Date of birth",
    "dob": "Date of birth",
    "contact": "Address and contact",
    "authUserId": "Sign-in",
    "sclMemberId": "Member number",
    "teetimePlayerId": "TeeTime player",
    "messagingContactId": "Messaging contact",
}
AGREEMENTS = {"exact": "the same", "contradicts": "not the same"}
# What an identifier found by an event weighs, in the scan's own unit: doublings of the odds.
WEIGHTS = {"exact": 8.0, "contradicts": -8.0}
FULL_WEIGHT = 16.0
TIERS = ((95, 101), (85, 95), (50, 85), (-1, 50))
TOLD_FROM = 5  # Fewer decisions say little.


@dataclass(frozen=True)
class Evidence:
    """One thing compared. ``weight``: how many times it doubles, or halves, the odds."""

    label: str
    level: str
    weight: float

    @property
    def speaks_for(self) -> bool:
        return self.weight >= 0

    @property
    def width(self) -> int:
        """Of its bar, in per cent."""
        return max(4, round(100 * min(abs(self.weight) / FULL_WEIGHT, 1)))

    @property
    def strength(self) -> str:
        size = abs(self.weight)
        how = "strongly " if size >= 8 else "" if size >= 3 else "a little "
        return f"speaks {how}{'for' if self.speaks_for else 'against'} one person"


def evidence_of(pair: DuplicateCandidate) -> list[Evidence]:
    """The heaviest first."""
    return sorted(_read(pair.match_fields or {}), key=lambda found: -abs(found.weight))


def _read(said: dict[str, Any]) -> Iterator[Evidence]:
    if isinstance(said.get("fields"), list):
        for each in said["fields"]:
            name = str(each.get("field", ""))
            weight = float(each.get("weight") or 0)
            yield Evidence(_label(name), str(each.get("level", "")), weight)
        return
    for name, found in said.items():
        agreement = found.get("agreement", "exact") if isinstance(found, dict) else "exact"
        level = AGREEMENTS.get(agreement, agreement)
        yield Evidence(_label(name), level, WEIGHTS.get(agreement, 0))


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def sentence_of(pair: DuplicateCandidate) -> str:
    """ "The same e-mail, but not the same first name: family?"."""
    if "agreements" in (pair.match_fields or {}):
        return describe(pair.match_fields)
    found = evidence_of(pair)
    agreeing = [_said(each) for each in found if each.speaks_for]
    differing = [_said(each) for each in found if not each.speaks_for]
    words = ", ".join(agreeing) or "Little in common"
    if differing:
        words = f"{words}, but {', '.join(differing)}: family?"
    return f"{words[:1].upper()}{words[1:]}{'' if differing else '.'}"


def check_of(pair: DuplicateCandidate) -> str:
    """What to look at before deciding; "" where nothing holds the score down."""
    return check(pair.match_fields or {})


def experience_of(pair: DuplicateCandidate) -> str:
    """What reviewers decided on pairs like this: same evidence, as likely. "" while too few did."""
    low, high = next((low, high) for low, high in TIERS if pair.match_score >= low)
    like_this = DuplicateCandidate.objects.filter(
        match_type=pair.match_type, match_score__gte=low, match_score__lt=high,
        resolution__in=(DuplicateResolution.MERGED, DuplicateResolution.NOT_DUPLICATE),
    )  # fmt: skip
    counted = like_this.aggregate(
        all=Count("pk"), merged=Count("pk", filter=Q(resolution=DuplicateResolution.MERGED))
    )
    if counted["all"] < TOLD_FROM:
        return ""
    return f"Reviewers confirmed {counted['merged']:,} of {counted['all']:,} like this."


def tone_of(pair: DuplicateCandidate) -> str:
    if pair.kind == CandidateKind.HOUSEHOLD:
        return "plain"
    if pair.match_score >= 95:
        return "green"
    return "blue" if pair.match_score >= 85 else "amber"


def _said(evidence: Evidence) -> str:
    subject = evidence.label if evidence.label.isupper() else evidence.label.lower()
    return f"{evidence.level} {subject}"
