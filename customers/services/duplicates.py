"""Ruling on pairs that may be one person."""

from collections.abc import Mapping
from typing import Literal

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from customers.choices import DuplicateResolution
from customers.models import CustomerProfile, DuplicateCandidate
from customers.services.found_pairs import note_what_was_compared
from customers.services.identity import lock_identities
from customers.services.merging import Merged, merge_profiles


class DuplicateError(DomainError):
    """A pair cannot be ruled on like this."""


@transaction.atomic
def merge_pair(
    *,
    pair: DuplicateCandidate,
    keep: Literal["a", "b"],
    picks: Mapping[str, str] | None = None,
    actor: Actor,
    is_first: bool = False,
) -> Merged:
    """Fold the pair's one profile into the one to keep; the pair reads MERGED from then on.

    The absorbed profile's other pairs become the survivor's. Raises MergeError like
    ``merge_profiles``, and DuplicateError for a pair that has been merged already; with
    ``is_first``, for one that somebody has ruled on since it was looked at.
    """
    # Before the pair is locked, as everybody does who changes identities.
    lock_identities()
    pair = _to_rule_on(pair, is_first=is_first)
    survivor_id, absorbed_id = pair.profile_a_id, pair.profile_b_id
    if keep == "b":
        survivor_id, absorbed_id = absorbed_id, survivor_id
    return merge_profiles(
        survivor_id=survivor_id, absorbed_id=absorbed_id, picks=picks, actor=actor
    )


@transaction.atomic
def resolve_duplicate(
    *,
    pair: DuplicateCandidate,
    resolution: DuplicateResolution,
    notes: str | None,
    actor: Actor,
    is_first: bool = False,
) -> DuplicateCandidate:
    """Say that a pair is two people, or is to be left alone; either may be changed later.

    Raises DuplicateError for a pair that has been merged; with ``is_first``, for one that somebody
    has ruled on since it was looked at.
    """
    pair = _to_rule_on(pair, is_first=is_first)
    pair.resolution, pair.notes = resolution, notes
    pair.resolved_by, pair.resolved_at = actor.id, timezone.now()
    pair.save()
    note_what_was_compared(pair.pk)
    return pair


def _to_rule_on(pair: DuplicateCandidate, *, is_first: bool) -> DuplicateCandidate:
    pair = DuplicateCandidate.objects.select_for_update().get(pk=pair.pk)
    if pair.resolution == DuplicateResolution.MERGED:
        raise DuplicateError("These two have been merged already.", code="already_merged")
    if is_first and pair.resolution != DuplicateResolution.PENDING:
        raise DuplicateError("Somebody has decided on this pair meanwhile.", code="already_ruled")
    return pair


@transaction.atomic
def reopen_duplicate(*, pair: DuplicateCandidate) -> DuplicateCandidate:
    """Take a ruling back, so that the pair is to review again.

    Raises DuplicateError for a pair that has been merged: undo the merge.
    """
    pair = DuplicateCandidate.objects.select_for_update().get(pk=pair.pk)
    if pair.resolution == DuplicateResolution.MERGED:
        raise DuplicateError("These two have been merged. Undo the merge instead.",
                             code="already_merged")  # fmt: skip
    pair.resolution, pair.notes = DuplicateResolution.PENDING, None
    pair.resolved_by = pair.resolved_at = None
    pair.save()
    return pair


def likelier_survivor(first: CustomerProfile, second: CustomerProfile) -> CustomerProfile:
    """Whose record to keep where nobody chose: whom the services know, then who is known longer."""
    return max(first, second, key=_standing)


def _standing(profile: CustomerProfile) -> tuple[bool, bool, int, float]:
    links = (profile.teetime_player_id, profile.messaging_contact_id, profile.email)
    return (
        profile.scl_member_id is not None,
        profile.auth_user_id is not None,
        sum(link is not None for link in links),
        -profile.created_at.timestamp(),
    )
