"""Merging every pair over a score: shown in sum, agreed to, then done one pair at a time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.jobs.services import JobCancelled, Reporter, request_job
from customers.models import BulkMerge, BulkMergePair, DuplicateCandidate
from customers.services.duplicates import DuplicateError, likelier_survivor, merge_pair
from customers.services.merge_plan import MergeSum, plan_merges

MAX_PAIRS = 1000
LEAST_SCORE = 50  # Below are mostly relatives; those are looked at one by one.
REPORT_EVERY = 10


class BulkMergeError(DomainError):
    """These pairs cannot be merged in one go."""


@dataclass(frozen=True)
class AgreedPair:
    """A pair and who of it stays."""

    pair: DuplicateCandidate
    survivor_id: UUID
    absorbed_id: UUID


@dataclass(frozen=True)
class BulkPlan:
    """Every pair that would be merged, likeliest first, and what all of it would do in sum.

    ``is_cut``: there are more than ``MAX_PAIRS``; the rest waits for another go.
    """

    min_score: float
    pairs: list[AgreedPair]
    sum: MergeSum
    is_cut: bool


def plan_bulk_merge(*, min_score: float) -> BulkPlan:
    """What merging every pair to review of ``min_score`` (50 to 100) and more would do.

    Writes nothing. Raises BulkMergeError for another score.
    """
    if not LEAST_SCORE <= min_score <= 100:
        message = f"Choose a score from {LEAST_SCORE} to 100."
        raise BulkMergeError(message, path="score", code="out_of_range")
    waiting = DuplicateCandidate.objects.pending().between_live().filter(match_score__gte=min_score)
    people = waiting.select_related("profile_a", "profile_b")
    found = list(
        people.defer("profile_a__search_vector", "profile_b__search_vector")
        .order_by("-match_score", "-pk")[: MAX_PAIRS + 1]
    )  # fmt: skip
    pairs = [_agreed(pair) for pair in found[:MAX_PAIRS]]
    total = plan_merges([(each.survivor_id, each.absorbed_id) for each in pairs])
    return BulkPlan(min_score, pairs, total, is_cut=len(found) > MAX_PAIRS)


def _agreed(pair: DuplicateCandidate) -> AgreedPair:
    survivor = likelier_survivor(pair.profile_a, pair.profile_b)
    absorbed_id = pair.profile_b_id if survivor.pk == pair.profile_a_id else pair.profile_a_id
    return AgreedPair(pair, survivor.pk, absorbed_id)


@transaction.atomic
def request_bulk_merge(*, min_score: float, seen_count: int, actor: Actor) -> BulkMerge:
    """Write down the pairs and queue the work; the caller nudges it.

    ``seen_count`` is how many pairs the person agreed to. Raises BulkMergeError where there are
    none, or more or fewer by now; JobError while another bulk merge is under way.
    """
    plan = plan_bulk_merge(min_score=min_score)
    if not plan.pairs:
        raise BulkMergeError("There are no pairs with such a score.", code="no_pairs")
    if len(plan.pairs) != seen_count:
        message = f"There are {len(plan.pairs):,} such pairs by now. Look at the sum again."
        raise BulkMergeError(message, path="confirm", code="changed")
    job = request_job(BulkMerge, actor=actor, min_score=min_score, pair_count=len(plan.pairs))
    BulkMergePair.objects.bulk_create(
        BulkMergePair(
            job=job, position=position, pair=each.pair,
            survivor_id=each.survivor_id, absorbed_id=each.absorbed_id,
        )
        for position, each in enumerate(plan.pairs)
    )  # fmt: skip
    return job


def run_bulk_merge(job: BulkMerge, report: Reporter) -> None:
    """Merge what has not had its turn, each pair in a transaction of its own; stops between two.

    A pair that cannot be merged is left alone with its reason, and the next one follows.
    """
    with transaction.atomic():
        waiting = list(job.pairs.filter(settled_at__isnull=True).values_list("pk", flat=True))
    done = job.pair_count - len(waiting)
    for number, pk in enumerate(waiting):
        if number % REPORT_EVERY == 0:
            report((done + number) / job.pair_count, "Merging pairs")
        with transaction.atomic(durable=True):
            if report.hold():
                raise JobCancelled
            _settle(pk, Actor(job.requested_by))
    report(1.0, "Merging pairs")


def _settle(pk: UUID, actor: Actor) -> None:
    row = BulkMergePair.objects.select_related("pair").get(pk=pk)
    try:
        with transaction.atomic():
            row.merge = _merge(row, actor)
    except DomainError as error:
        row.refusal = error.message
    row.settled_at = timezone.now()
    row.save()


def _merge(row: BulkMergePair, actor: Actor) -> Any:
    pair = row.pair
    # Read anew: an earlier pair of the same people moved this one to whoever is left of them.
    is_same = pair is not None and {pair.profile_a_id, pair.profile_b_id} == {
        row.survivor_id, row.absorbed_id,
    }  # fmt: skip
    if pair is None or not is_same:
        message = "One of the two was merged with somebody else meanwhile; look at them again."
        raise DuplicateError(message, code="not_of_pair")
    keep = "a" if pair.profile_a_id == row.survivor_id else "b"
    return merge_pair(pair=pair, keep=keep, actor=actor, is_first=True).merge  # type: ignore[arg-type]
