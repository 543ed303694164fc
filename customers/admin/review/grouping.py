"""More than two records that hang together: all of their pairs, to be gone through one by one."""

from dataclasses import dataclass
from uuid import UUID

from customers.admin.review.queue import Queue
from customers.models import CustomerProfile, DuplicateCandidate
from customers.services.households import group_of


@dataclass(frozen=True)
class PairOfGroup:
    """One pair of the group. ``is_here``: the one that is looked at."""

    first: CustomerProfile
    second: CustomerProfile
    score: float
    url: str
    is_here: bool


@dataclass(frozen=True)
class GroupAround:
    """Everybody who hangs together with a pair; ``apart`` are known to be different people."""

    people_count: int
    pairs: list[PairOfGroup]
    apart: list[PairOfGroup]


def group_around(pair: DuplicateCandidate, queue: Queue) -> GroupAround | None:
    """None for two who hang together with nobody else."""
    group = group_of(pair)
    if not group.is_more_than_a_pair:
        return None
    people = CustomerProfile.objects.defer("search_vector").in_bulk(group.profile_ids)

    def shown(each: DuplicateCandidate) -> PairOfGroup:
        return _shown(each, people, queue, is_here=each.pk == pair.pk)

    return GroupAround(len(people), [*map(shown, group.pairs)], [*map(shown, group.apart)])


def _shown(
    pair: DuplicateCandidate, people: dict[UUID, CustomerProfile], queue: Queue, *, is_here: bool
) -> PairOfGroup:
    first, second = people[pair.profile_a_id], people[pair.profile_b_id]
    return PairOfGroup(first, second, pair.match_score, queue.url(pair.pk), is_here)
