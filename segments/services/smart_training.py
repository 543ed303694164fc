"""Learning a model from the tenant's own customers, and trying it on people it has not seen.

Loads numpy and, while fitting, scikit-learn: only workers may import this.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from customers.models import CustomerProfile
from customers.services.score_facts import chunks_of_ids
from customers.services.score_outcomes import outcomes_after
from segments.choices import SmartModel
from segments.models import CustomerSegment
from segments.rules.smart import SmartQuestion, TooLittleError
from segments.scoring.likelihood import Likelihood, Trial, fit, halves
from segments.scoring.looks import Seen
from segments.services.smart_people import Past, asked_of, look_at, members_of, read_past

# "Lapse" and "come back" are told for the next quarter, learned from the quarters before.
HORIZON_DAYS, QUARTERS = 91, (1, 2, 3, 4, 5)
# As many people say as much as all of them (docs/benchmarks.md).
SAMPLE, MOST_MEMBERS = 60_000, 20_000
HELD_OUT = 0.3
FEWEST_MEMBERS = 50
FEWEST_TO_LEARN, FEWEST_TO_TEST = 35, 15
WORST_AUC = 0.6

Tell = Callable[[float, str], None]
Floats = NDArray[np.float64]


def say_nothing(progress: float, stage: str) -> None:
    """For who does not want to hear how far it is."""


@dataclass(frozen=True)
class Quality:
    """How well a model told on ``held_out_count`` people whom it had not seen.

    ``auc`` is the chance that it ranks somebody of whom it came true before somebody of whom not:
    0.5 is guessing. ``precision`` is the share of whom it came true among as many as the segment
    takes, and ``base_rate`` that of everybody asked about. ``expected_count`` people would be in
    the segment now.
    """

    auc: float
    precision: float
    base_rate: float
    held_out_count: int
    learned_from_count: int
    expected_count: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Learned:
    model: Likelihood
    quality: Quality
    past: Past
    members: set[UUID]


@dataclass(frozen=True)
class Lesson:
    """People of whom the answer is known, and how many each of them stands for."""

    seen: Seen
    outcome: Floats
    weights: Floats

    def take(self, chosen: NDArray[np.bool_]) -> "Lesson":
        return Lesson(self.seen.take(chosen), self.outcome[chosen], self.weights[chosen])

    @staticmethod
    def joined(several: "list[Lesson]") -> "Lesson":
        return Lesson(
            Seen.joined([one.seen for one in several]),
            np.concatenate([one.outcome for one in several]),
            np.concatenate([one.weights for one in several]),
        )


def learn(question: SmartQuestion, *, now: datetime, tell: Tell = say_nothing) -> Learned:
    """A model for the question, tried and then learned from everybody known. Short transactions.

    Raises TooLittleError where there is too little to learn from, or it learned nothing.
    """
    past = read_past(now)
    members = members_of(question.segment)
    tell(0.1, "Looking at the past")
    if question.model is SmartModel.LOOKALIKE:
        lesson, asked = _members_and_others(question, past, members)
        _require(int(lesson.outcome.sum()), FEWEST_MEMBERS, "members the segment has", "others")
        is_test = halves(len(lesson.outcome), held_out=HELD_OUT)
        tests, older = lesson.take(is_test), lesson.take(~is_test)
    else:
        tests, older, asked = _quarters(question, past)
    tell(0.7, "Learning")
    quality = _try(question, older, tests, asked)
    everything = Lesson.joined([tests, older])
    is_balanced = question.model is SmartModel.LOOKALIKE
    model = fit(everything.seen, everything.outcome, is_balanced=is_balanced)
    return Learned(model, quality, past, members)


def _try(question: SmartQuestion, older: Lesson, tests: Lesson, asked: int) -> Quality:
    """``asked``: how many people the question is asked of now."""
    for lesson, fewest in ((older, FEWEST_TO_LEARN), (tests, FEWEST_TO_TEST)):
        yes = int(lesson.outcome.sum())
        _require(yes, fewest, *_words(question.model))
        _require(len(lesson.outcome) - yes, fewest, *reversed(_words(question.model)))
    is_balanced = question.model is SmartModel.LOOKALIKE
    tried = fit(older.seen, older.outcome, is_balanced=is_balanced)
    trial = Trial(tried.score(tests.seen), tests.outcome, tests.weights)
    auc = trial.auc()
    if auc < WORST_AUC:
        some, others = _words(question.model)
        raise TooLittleError(
            f"By what they did, {some} can hardly be told from {others} (AUC {auc:.2f}; "
            f"{WORST_AUC} is needed), so the list would be little better than chance."
        )
    share, expected = min(1.0, (question.size or 0) / max(1, asked)), question.size or 0
    if question.min_score is not None:
        share = trial.share_from(question.min_score)
        # Who is in the segment already is not asked.
        new = trial.others() if is_balanced else trial
        expected = round(new.share_from(question.min_score) * asked)
    return Quality(
        auc=round(auc, 4),
        precision=round(trial.precision(share), 4),
        base_rate=round(trial.base_rate(), 4),
        held_out_count=len(tests.outcome),
        learned_from_count=len(older.outcome) + len(tests.outcome),
        expected_count=min(asked, expected),
    )


def _words(model: SmartModel) -> tuple[str, str]:
    """Those of whom it is true, and those of whom it is not."""
    return {
        SmartModel.LAPSE: ("people who stayed away", "people who kept coming"),
        SmartModel.RETURN: ("people who came back", "people who stayed away"),
        SmartModel.LOOKALIKE: ("members of that segment", "everybody else"),
    }[model]


def _require(count: int, fewest: int, of_whom: str, others: str) -> None:
    if count < fewest:
        raise TooLittleError(
            f"There are too few {of_whom} to tell them from {others}: {count:,}; "
            f"{fewest} are needed."
        )


# Lapse and come back: what people did in the quarter after a day in the past


def _quarters(question: SmartQuestion, past: Past) -> tuple[Lesson, Lesson, int]:
    """The newest quarter whose outcome is known, those before it, and how many are asked now."""
    usable = [n for n in QUARTERS if past.days_known >= (n + 1) * HORIZON_DAYS]
    if len(usable) < 2:
        months = round(3 * HORIZON_DAYS / 30.4)
        known = round(past.days_known / 30.4)
        raise TooLittleError(
            f"{months} months of visits are needed to learn from; there are {known} so far."
        )
    with transaction.atomic():
        count = CustomerProfile.objects.live().count()
    share = min(1.0, SAMPLE / max(1, count))
    chunks = list(chunks_of_ids(share=share))
    lessons = [_quarter(question, past, chunks, n * HORIZON_DAYS) for n in usable]
    asked_now = 0
    today = past.as_of()
    for ids in chunks:
        people = look_at(ids, today, model=question.model).people
        asked_now += int(asked_of(question, people, today.today, set()).sum())
    test, *older = lessons
    return test, Lesson.joined(older), round(asked_now / share)


def _quarter(
    question: SmartQuestion, past: Past, chunks: list[list[UUID]], days_ago: int
) -> Lesson:
    as_of, parts = past.as_of(days_ago), []
    for ids in [*chunks, []]:
        group = look_at(ids, as_of, model=question.model)
        with transaction.atomic():
            visits = outcomes_after(ids, as_of, days=HORIZON_DAYS).visits
        is_true = (visits == 0) if question.model is SmartModel.LAPSE else (visits > 0)
        everybody = Lesson(group.seen, is_true.astype(np.float64), np.ones(len(visits)))
        parts.append(everybody.take(asked_of(question, group.people, as_of.today, set())))
    return Lesson.joined(parts)


# Look-alike: who is in the segment, against who is not


def _members_and_others(
    question: SmartQuestion, past: Past, members: set[UUID]
) -> tuple[Lesson, int]:
    """Of both as many as are needed, and how many others there are."""
    with transaction.atomic():
        if not CustomerSegment.objects.live().filter(pk=question.segment).exists():
            raise TooLittleError("The segment to be like is not there any more.")
        count = CustomerProfile.objects.live().count()
    as_of, others_count = past.as_of(), max(0, count - len(members))
    # The last bytes of an id are random, so these are anybody.
    shown = sorted(members, key=lambda pk: pk.bytes[8:])[:MOST_MEMBERS]
    others = [
        [pk for pk in ids if pk not in members]
        for ids in chunks_of_ids(share=min(1.0, SAMPLE / max(1, count)))
    ]
    drawn = sum(map(len, others))
    parts = []
    for ids, outcome, stands_for in (
        *((ids, 0.0, others_count / max(1, drawn)) for ids in others),
        (shown, 1.0, len(members) / max(1, len(shown))),
    ):
        group = look_at(ids, as_of, model=question.model)
        size = len(group.people)
        parts.append(Lesson(group.seen, np.full(size, outcome), np.full(size, stands_for)))
    return Lesson.joined(parts), others_count
