"""Asking a model of everybody, and keeping those it finds most likely.

Loads numpy and, while learning, scikit-learn: only workers may import this.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from crm_site.tenancy.context import require_tenant_id
from customers.services.score_facts import chunks_of_ids
from segments.rules.smart import MOST_PEOPLE, SmartQuestion
from segments.services.smart_people import asked_of, look_at
from segments.services.smart_training import Learned, Quality, learn

TABLE = """
CREATE TEMPORARY TABLE segment_likely ON COMMIT DROP AS
SELECT id, score, reasons
  FROM unnest(%s::uuid[], %s::float8[], %s::jsonb[]) AS likely(id, score, reasons)
"""
# Nothing is written for whom nothing is new.
TELL = """
UPDATE segments_customersegmentmembership AS held
   SET match_score = likely.score, match_reasons = likely.reasons, matched_at = %s
  FROM segment_likely AS likely
 WHERE held.tenant_id = %s AND held.segment_id = %s AND held.customer_id = likely.id
   AND (held.match_score, held.match_reasons) IS DISTINCT FROM (likely.score, likely.reasons)
"""


@dataclass(frozen=True)
class Likely:
    """Whom the model finds most likely: ids, scores from 0 to 1, reasons; and its quality."""

    ids: list[UUID]
    scores: list[float]
    reasons: list[str]
    quality: Quality

    def put_into_table(self) -> str:
        """A temporary table of them until commit; returns a query of their ids."""
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS segment_likely")
            cursor.execute(TABLE, [self.ids, self.scores, self.reasons])
        return "SELECT id FROM segment_likely"

    def tell_members(self, segment_id: UUID, now: datetime) -> None:
        """Note score and reasons of each member. After ``put_into_table``, in its transaction."""
        with connection.cursor() as cursor:
            cursor.execute(TELL, [now, require_tenant_id(), segment_id])


@dataclass
class _Best:
    """The best so far; of equals the one with the lower id."""

    limit: int
    ids: NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=object))
    scores: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    reasons: NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=object))

    def add(self, ids: list[UUID], scores: NDArray[np.float64], reasons: list[str]) -> None:
        everybody = np.concatenate([self.ids, np.array(ids, dtype=object)])
        all_scores = np.concatenate([self.scores, scores])
        all_reasons = np.concatenate([self.reasons, np.array(reasons, dtype=object)])
        best = np.argsort(-all_scores, kind="stable")[: self.limit]
        best.sort()  # Back in the order of ids, which decides among equals.
        self.ids, self.scores, self.reasons = everybody[best], all_scores[best], all_reasons[best]


def find_likely(question: SmartQuestion, *, now: datetime) -> Likely:
    """Learn anew and ask the model of everybody. Short transactions; call it outside of any.

    From a score on at most MOST_PEOPLE, the best of them. Raises TooLittleError.
    """
    learned = learn(question, now=now)
    today = learned.past.as_of()
    best = _Best(question.size or MOST_PEOPLE)
    for ids in chunks_of_ids():
        group = look_at(ids, today, model=question.model)
        scores = learned.model.score(group.seen).round(4)
        chosen = asked_of(question, group.people, today.today, learned.members)
        chosen &= scores >= (question.min_score or 0.0)
        if len(best.scores) == best.limit:
            chosen &= scores > best.scores.min()
        _add(best, learned, group.people.ids, scores, chosen, group.seen)
    return Likely(best.ids.tolist(), best.scores.tolist(), best.reasons.tolist(), learned.quality)


def _add(
    best: _Best,
    learned: Learned,
    ids: list[UUID],
    scores: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    seen: Any,
) -> None:
    reasons = [json.dumps(each) for each in learned.model.reasons(seen.take(chosen))]
    best.add([pk for pk, is_in in zip(ids, chosen, strict=True) if is_in], scores[chosen], reasons)
