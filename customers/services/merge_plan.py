"""What a merge would do, without doing it: for the review screen and for many pairs in sum."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from crm_site.messaging.channels import Channel
from customers.models import CustomerProfile, DuplicateCandidate
from customers.models.profile import CONSENT_FLAGS
from customers.services.belongings import Belonging, moving_belongings
from customers.services.consent import Consents, ConsentState, consents_of, stricter_consents
from customers.services.identity import READ
from customers.services.merge_fields import (
    FieldChoice,
    MergeError,
    Pair,
    check_picks,
    choose_fields,
)
from customers.services.merge_rows import hidden_identifiers
from customers.services.merging import check_different, pair_of, with_verified

# Absorbed id → survivor id.
Pairs = Mapping[UUID, UUID]


@dataclass(frozen=True)
class Clash:
    """Something both have that only one can keep, and how it is settled, in words for people.

    ``kind`` is for programs: segment, message, journey, duplicate. ``names`` are of what clashes.
    """

    kind: str
    count: int
    settled: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moving:
    """Rows of one table that move to the survivor."""

    belonging: Belonging
    count: int

    @property
    def words(self) -> str:
        return self.belonging.count_words(self.count)


@dataclass(frozen=True)
class ConsentOutcome:
    """One channel: what both hold, and the stricter of the two that the merged profile holds."""

    channel: Channel
    survivor: ConsentState
    absorbed: ConsentState
    result: ConsentState

    @property
    def is_lost(self) -> bool:
        """Whether the survivor may be written to today and will not be."""
        return self.survivor.is_opted_in and not self.result.is_opted_in


@dataclass(frozen=True)
class MergePlan:
    """Everything a merge of two would do. ``identifiers`` are (type, value) that become aliases."""

    survivor: CustomerProfile
    absorbed: CustomerProfile
    fields: list[FieldChoice]
    consents: list[ConsentOutcome]
    identifiers: list[tuple[str, str]]
    moving: list[Moving]
    clashes: list[Clash]

    @property
    def doubled_journeys(self) -> list[Clash]:
        return [clash for clash in self.clashes if clash.kind == "journey"]


@dataclass(frozen=True)
class Refused:
    """A pair of many that cannot be merged, and why."""

    survivor_id: UUID
    absorbed_id: UUID
    error: MergeError


@dataclass
class MergeSum:
    """What merging many pairs would do, added up. ``consents_lost`` counts people by channel."""

    pair_count: int = 0
    moving: list[Moving] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    consents_lost: Counter[Channel] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)


ClashFinder = Callable[[Pairs], Iterable[Clash]]
_finders: list[ClashFinder] = []


def clash_finder(find: ClashFinder) -> ClashFinder:
    """Register what an app above would have to settle, for any number of pairs with few queries."""
    _finders.append(find)
    return find


def plan_merge(
    *, survivor_id: UUID, absorbed_id: UUID, picks: Mapping[str, str] | None = None
) -> MergePlan:
    """What ``merge_profiles`` of the same two would do. Writes and locks nothing.

    Raises MergeError as that would.
    """
    picks = picks or {}
    check_picks(picks)
    check_different(survivor_id, absorbed_id)
    pair = with_verified(pair_of(_found([survivor_id, absorbed_id]), survivor_id, absorbed_id))
    fields = choose_fields(pair, picks)
    pairs = {absorbed_id: survivor_id}
    return MergePlan(
        survivor=pair.survivor,
        absorbed=pair.absorbed,
        fields=fields,
        consents=_consents(pair),
        identifiers=hidden_identifiers(fields),
        moving=_moving(pairs),
        clashes=_clashes(pairs),
    )


def plan_merges(pairs: Sequence[tuple[UUID, UUID]]) -> MergeSum:
    """What merging (survivor, absorbed) pairs one after the other would do, in sum.

    The number of queries does not depend on the number of pairs. A pair that cannot be merged, also
    because an earlier pair absorbs one of the two, is in ``refused``.
    """
    found = _found({pk for pair in pairs for pk in pair})
    result, planned = MergeSum(), dict[UUID, UUID]()
    for survivor_id, absorbed_id in pairs:
        try:
            check_different(survivor_id, absorbed_id)
            pair = pair_of(found, survivor_id, absorbed_id)
            _check_unabsorbed(pair, planned)
        except MergeError as error:
            result.refused.append(Refused(survivor_id, absorbed_id, error))
            continue
        planned[absorbed_id] = survivor_id
        result.consents_lost.update(each.channel for each in _consents(pair) if each.is_lost)
    result.pair_count = len(planned)
    result.moving, result.clashes = _moving(planned), _clashes(planned)
    return result


def _check_unabsorbed(pair: Pair, planned: Pairs) -> None:
    for profile in (pair.survivor, pair.absorbed):
        if profile.pk in planned:
            message = f"{profile.name} is merged into another customer by an earlier pair."
            raise MergeError(message, code="already_merged")


def _found(ids: Iterable[UUID]) -> dict[UUID, CustomerProfile]:
    rows = CustomerProfile.objects.filter(pk__in=list(ids)).only(*READ)
    return {row.pk: row for row in rows}


def _consents(pair: Pair) -> list[ConsentOutcome]:
    ours, theirs = consents_of(pair.survivor), consents_of(pair.absorbed)
    both: Consents = stricter_consents(ours, theirs)
    return [
        ConsentOutcome(channel, ours[channel], theirs[channel], both[channel])
        for channel in CONSENT_FLAGS
    ]


def _moving(pairs: Pairs) -> list[Moving]:
    counted = (
        Moving(each, each.model.objects.filter(**{f"{each.field}__in": list(pairs)}).count())
        for each in moving_belongings()
    )
    return [moving for moving in counted if moving.count]


def _clashes(pairs: Pairs) -> list[Clash]:
    return [clash for find in _finders for clash in find(pairs) if clash.count]


def in_both(pairs: Pairs, rows: Iterable[tuple[UUID, Hashable]]) -> list[Hashable]:
    """Out of rows (customer, thing), the things that both of a pair have, once per pair."""
    things: dict[UUID, set[Hashable]] = {}
    for customer_id, thing in rows:
        things.setdefault(customer_id, set()).add(thing)
    return [
        thing
        for absorbed, survivor in pairs.items()
        for thing in things.get(absorbed, set()) & things.get(survivor, set())
    ]


def everybody(pairs: Pairs) -> list[UUID]:
    """The ids of all that are in the pairs."""
    return [*pairs, *pairs.values()]


@clash_finder
def _known_pairs(pairs: Pairs) -> Iterable[Clash]:
    rows = DuplicateCandidate.objects.filter(
        Q(profile_a__in=everybody(pairs)) | Q(profile_b__in=everybody(pairs))
    )
    both_ways = [
        way
        for one, other in rows.values_list("profile_a_id", "profile_b_id")
        for way in ((one, other), (other, one))
    ]
    yield Clash(
        kind="duplicate",
        count=len(in_both(pairs, both_ways)),
        settled="Both may be the same as a third person: one of the two questions is closed.",
    )
