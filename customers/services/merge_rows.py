"""What a merge does to the tables of this app: rows move, identifiers lead on, pairs close."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, Q, UUIDField, Value, When
from django.db.models.functions import Greatest, Least

from crm_site.audit.actor import Actor
from customers.choices import DuplicateResolution
from customers.models import Activity, CustomerNote, DuplicateCandidate, IdentityAlias
from customers.services.facts import IDENTIFIERS
from customers.services.identity import ALIAS_TYPES, alias_value
from customers.services.merge_fields import FieldChoice
from customers.services.merge_record import MergeRecord

ALIAS_SOURCE = "merge"


def move_rows(
    record: MergeRecord, choices: Iterable[FieldChoice], *, actor: Actor, now: datetime
) -> None:
    """Move activities, notes and aliases; keep what the survivor does not show as aliases."""
    for model in (Activity, CustomerNote, IdentityAlias):
        record.move(model.objects.filter(customer=record.absorbed))
    _keep_identifiers(record, hidden_identifiers(choices))
    _settle_candidates(record, actor, now)


def hidden_identifiers(choices: Iterable[FieldChoice]) -> list[tuple[str, str]]:
    """(type, value) of every identifier of the two that the merged profile does not show."""
    return [
        (ALIAS_TYPES[choice.name], alias_value(choice.name, held))
        for choice in choices
        if choice.name in IDENTIFIERS
        for held in (choice.survivor, choice.absorbed)
        if held is not None and held != choice.result
    ]


def _keep_identifiers(record: MergeRecord, hidden: list[tuple[str, str]]) -> None:
    """What stood on a profile itself was stronger than anybody's alias, so it leads on."""
    if not hidden:
        return
    condition = Q()
    for kind, value in hidden:
        condition |= Q(type=kind, value=value)
    held = IdentityAlias.objects.filter(condition)
    others = held.exclude(customer=record.survivor)
    record.change(others, why="identifier", customer=record.survivor)
    known = set(held.values_list("type", "value"))
    record.add(
        [
            IdentityAlias(customer=record.survivor, type=kind, value=value, source=ALIAS_SOURCE)
            for kind, value in hidden
            if (kind, value) not in known
        ],
        why="identifier",
    )


def _settle_candidates(record: MergeRecord, actor: Actor, now: datetime) -> None:
    """This pair is merged; the absorbed one's other pairs are the survivor's from now on.

    Where the survivor stands in such a pair already, that one counts and the other is closed.
    """
    survivor, absorbed = record.survivor, record.absorbed
    closing = {
        "resolution": DuplicateResolution.MERGED,
        "resolved_by": actor.id,
        "resolved_at": now,
    }
    open_pairs = DuplicateCandidate.objects.exclude(resolution=DuplicateResolution.MERGED)
    theirs = open_pairs.involving(absorbed)
    record.change(theirs.involving(survivor), why="pair", **closing)
    known = partners_of(survivor.pk) - {absorbed.pk}
    partners = Q(profile_a__in=known) | Q(profile_b__in=known)
    record.change(theirs.unruled().filter(partners), why="known_pair", **closing)
    other = Case(
        When(profile_a=absorbed, then=F("profile_b")), default=F("profile_a"),
        output_field=UUIDField(),
    )  # fmt: skip
    ours = Value(survivor.pk, output_field=UUIDField())
    record.change(
        theirs.exclude(partners),
        why="other_pair",
        profile_a=Least(other, ours),
        profile_b=Greatest(other, ours),
    )


def partners_of(profile_id: UUID) -> set[UUID]:
    """Who stands in a pair with this profile."""
    pairs = DuplicateCandidate.objects.filter(Q(profile_a=profile_id) | Q(profile_b=profile_id))
    ids = {pk for pair in pairs.values_list("profile_a_id", "profile_b_id") for pk in pair}
    return ids - {profile_id}
