"""Who lives with whom, and who hangs together as possible duplicates."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from customers.choices import CandidateKind
from customers.models import CustomerProfile, DuplicateCandidate

# A clubhouse or a company is nobody's home.
MOST_IN_A_HOUSEHOLD = 20
MOST_IN_A_GROUP = 20


@dataclass(frozen=True)
class Relative:
    """Somebody of the same household, and what they share: address, email, phone_number."""

    profile: CustomerProfile
    shares: tuple[str, ...]


def household_of(profile: CustomerProfile) -> list[Relative]:
    """Other live customers of the same home, mailbox or phone, by name. Possible duplicates are
    not among them: whoever may be the same person is no relative yet."""
    shares: dict[UUID, set[str]] = {}
    for pk in _same_address(profile):
        shares.setdefault(pk, set()).add("address")
    for pair in DuplicateCandidate.objects.households().involving(profile):
        other = pair.profile_b_id if pair.profile_a_id == profile.pk else pair.profile_a_id
        shares.setdefault(other, set()).update({*pair.claimed} or {pair.match_type})
    doubted = _partners(profile.pk)
    relatives = (
        CustomerProfile.objects.live()
        .filter(pk__in=shares.keys() - doubted)
        .defer("search_vector")
        .order_by("first_name", "pk")
    )
    return [Relative(each, tuple(sorted(shares[each.pk]))) for each in relatives]


def _same_address(profile: CustomerProfile) -> list[UUID]:
    """Asks for the place as well: there is a 12 Oak Road in many towns."""
    if not profile.address_line1 or not (profile.postal_code or profile.city):
        return []
    place = Q()
    if profile.postal_code:
        place |= Q(postal_code=profile.postal_code)
    if profile.city:
        place |= Q(city__iexact=profile.city)
    there = (
        CustomerProfile.objects.live()
        .alias(home=Lower("address_line1"))
        .filter(place, home=profile.address_line1.lower(), address_line1__isnull=False)
        .exclude(pk=profile.pk)
        .values_list("pk", flat=True)[: MOST_IN_A_HOUSEHOLD + 1]
    )
    found = list(there)
    return found if len(found) <= MOST_IN_A_HOUSEHOLD else []


def _partners(profile_id: UUID) -> set[UUID]:
    pairs = DuplicateCandidate.objects.pending().filter(
        Q(profile_a=profile_id) | Q(profile_b=profile_id)
    )
    return {pk for pair in pairs.values_list("profile_a_id", "profile_b_id") for pk in pair} - {
        profile_id
    }


@dataclass(frozen=True)
class Group:
    """Profiles that hang together by pairs to review. To be merged pair by pair: that A is like B
    and B like C does not make A and C one person. ``apart`` are pairs told apart already."""

    profile_ids: list[UUID]
    pairs: list[DuplicateCandidate]
    apart: list[DuplicateCandidate]

    @property
    def is_more_than_a_pair(self) -> bool:
        return len(self.profile_ids) > 2

    @property
    def is_contradictory(self) -> bool:
        return bool(self.apart)


def group_of(pair: DuplicateCandidate) -> Group:
    """Everybody who hangs together with the two of a pair, up to 20 people."""
    known = {pair.profile_a_id, pair.profile_b_id}
    edge = set(known)
    while edge and len(known) < MOST_IN_A_GROUP:
        touching = DuplicateCandidate.objects.pending().filter(
            Q(profile_a__in=edge) | Q(profile_b__in=edge)
        )
        met = {pk for ids in touching.values_list("profile_a_id", "profile_b_id") for pk in ids}
        edge = met - known
        known |= set(sorted(edge)[: MOST_IN_A_GROUP - len(known)])
    inside = DuplicateCandidate.objects.filter(profile_a__in=known, profile_b__in=known)
    pairs = list(inside.pending().order_by("-match_score", "pk"))
    told_apart = Q(kind=CandidateKind.HOUSEHOLD) | Q(resolution="NOT_DUPLICATE")
    return Group(sorted(known), pairs, list(inside.filter(told_apart).order_by("pk")))
