"""Who is who in a file of profiles, and how good an answer is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from customers.matching.explaining import Pair

Ids = set[tuple[str, str]]


@dataclass
class Truth:
    """Profiles in a file of ``customers.matching``; each pair of ids the lower first."""

    path: Path
    profile_count: int = 0
    same_person: Ids = field(default_factory=set)
    relatives: Ids = field(default_factory=set)
    twins: Ids = field(default_factory=set)
    namesakes: Ids = field(default_factory=set)


@dataclass(frozen=True)
class Quality:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def quality(found: Ids, truth: Truth) -> Quality:
    """As record linkage has them: over pairs."""
    right = len(found & truth.same_person)
    return Quality(right / max(1, len(found)), right / max(1, len(truth.same_person)))


def at_score(pairs: Iterable[Pair], least: float) -> Ids:
    return {(pair.first, pair.second) for pair in pairs if pair.score >= least}


def at_probability(pairs: Iterable[Pair], least: float) -> Ids:
    """What the model says before anything is capped."""
    return {(pair.first, pair.second) for pair in pairs if pair.probability >= least}


def best_threshold(pairs: list[Pair], truth: Truth) -> tuple[int, Quality]:
    """The score from which F1 is highest, known only to those who know the truth."""
    scored = [(score, quality(at_score(pairs, score), truth)) for score in range(40, 100)]
    return max(scored, key=lambda each: each[1].f1)
