"""Who lives with whom, and who hangs together as possible duplicates."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from customers.choices import CandidateKind, DuplicateResolution
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
    shares, doubted = _by_pairs(profile)
    there = _same_address(profile)
    for each in there:
        shares.setdefault(each.pk, set()).add("address")
    known = {each.pk: each for each in there}
    missing = shares.keys() - known.keys() - doubted
    if missing:
        known |= _people().in_bulk(missing)
    relatives = [
        Relative(known[pk], tuple(sorted(shared)))
        for pk, shared in shares.items()
        if pk in known and pk not in doubted
    ]
    return sorted(relatives, key=lambda each: (each.profile.first_name or "", each.profile.pk))


def _people() -> QuerySet[CustomerProfile]:
    people: QuerySet[CustomerProfile] = CustomerProfile.objects.live().defer("search_vector")
    return people


def _by_pairs(profile: CustomerProfile) -> tuple[dict[UUID, set[str]], set[UUID]]:
    """Relatives with what they share, and who may be the same person."""
    shares: dict[UUID, set[str]] = {}
    doubted: set[UUID] = set()
    for pair in DuplicateCandidate.objects.involving(profile):
        other = pair.profile_b_id if pair.profile_a_id == profile.pk else pair.profile_a_id
        if pair.kind == CandidateKind.HOUSEHOLD:
            shares.setdefault(other, set()).update({*pair.claimed} or {pair.match_type})
        elif pair.resolution == DuplicateResolution.PENDING:
            doubted.add(other)
    return shares, doubted


def _same_address(profile: CustomerProfile) -> list[CustomerProfile]:
    """Asks for the place as well: there is a 12 Oak Road in many towns.

    As it is written here, or in small or capital letters: row-level security keeps an index on
    ``lower`` from being used. Other spellings are the scan's to find.
    """
    street = profile.address_line1
    if not street or not (profile.postal_code or profile.city):
        return []
    place = Q()
    if profile.postal_code:
        place |= Q(postal_code=profile.postal_code)
    if profile.city:
        place |= Q(city__iexact=profile.city)
    spellings = {street, street.lower(), street.upper(), street.title()}
    there = _people().filter(place, address_line1__in=spellings, address_line1__isnull=False)
    found = list(there.exclude(pk=profile.pk)[: MOST_IN_A_HOUSEHOLD + 1])
    return found if len(found) <= MOST_IN_A_HOUSEHOLD else []


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
