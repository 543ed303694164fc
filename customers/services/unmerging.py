"""Undoing a merge: both as they were, with what moved. What happened since stays and is told."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor, acting_as
from crm_site.db.names import camel_case
from crm_site.errors import NOT_FOUND
from customers.models import Activity, CustomerProfile, IdentityAlias, ProfileMerge
from customers.services.belongings import moving_belongings
from customers.services.consent import Consents, consents_of, stricter_consents, write_consent
from customers.services.counters import COUNTERS, recent_counts
from customers.services.facts import IDENTIFIERS
from customers.services.identity import ALIAS_TYPES, READ, alias_value, lock_identities
from customers.services.merge_fields import MergeError
from customers.services.merge_record import UndoRecord
from customers.services.merge_rewind import rewind
from customers.services.merge_rows import ALIAS_SOURCE
from customers.services.merge_snapshots import Row, consents_in, current_row, write_row
from customers.signals import profile_unmerged


@dataclass(frozen=True)
class Stays:
    """Rows that came since the merge and stay with the survivor; ``kind``: bookings, notes …"""

    kind: str
    count: int
    words: str


@dataclass
class Unmerged:
    """Both customers again, and what is not as it was.

    ``stays``: rows since the merge, with the survivor. ``kept``: fields of the survivor changed
    since, as they are now. ``not_returned``: identifiers that the absorbed one had and somebody
    else has now. ``left_as_is``: rows by model that changed or went since, so that undoing left
    them alone. ``refused_on_both``: channels refused since the merge, now refused for both.
    """

    merge: ProfileMerge
    survivor: CustomerProfile
    restored: CustomerProfile
    moved_back: dict[str, int] = field(default_factory=dict)
    stays: list[Stays] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    not_returned: list[str] = field(default_factory=list)
    left_as_is: dict[str, int] = field(default_factory=dict)
    refused_on_both: list[str] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """What to tell the person who pressed the button."""
        name = self.survivor.name
        told = [
            f"{each.words} since the merge {'stays' if each.count == 1 else 'stay'} with {name}."
            for each in self.stays
        ]
        if self.kept:
            fields = ", ".join(_label(name) for name in self.kept)
            told.append(f"Changed since the merge and kept on {name}: {fields}.")
        if self.not_returned:
            fields = ", ".join(_label(name) for name in self.not_returned)
            told.append(f"Somebody else has it now, so {self.restored.name} comes back without: "
                        f"{fields}.")  # fmt: skip
        if self.refused_on_both:
            told.append(f"Refused since the merge, so refused for both: "
                        f"{', '.join(self.refused_on_both)}.")  # fmt: skip
        return told


@transaction.atomic
def unmerge_profiles(*, merge_id: UUID, customer_id: UUID | None = None, actor: Actor) -> Unmerged:
    """Undo a merge: both profiles as they were, and every row that moved back where it was.

    ``customer_id``: one of the two, where the caller names one; another's merge is none of theirs.
    A field changed since on the survivor keeps the newer word; rows born since stay there. Apps
    above follow ``profile_unmerged``. Raises MergeError, having changed nothing, for a merge that
    is not there, undone already or too old, and for one that a later merge stands upon.
    """
    lock_identities()
    merge = ProfileMerge.objects.select_for_update().filter(pk=merge_id).first()
    if merge is None or customer_id not in (None, merge.survivor_id, merge.absorbed_id):
        raise MergeError("There is no such merge.", path="merge_id", code=NOT_FOUND)
    now = timezone.now()
    _check(merge, now)
    with acting_as(actor):
        return _unmerge(merge, actor, now)


def _check(merge: ProfileMerge, now: datetime) -> None:
    if merge.undone_at is not None:
        raise MergeError("This merge has been undone already.", code="already_undone")
    if not merge.can_be_undone(now):
        raise MergeError("This merge is too old to be undone.", code="too_late")
    survivor = merge.survivor
    if survivor.deleted_at is not None:
        message = f"{survivor.name} is deleted. Restore them first."
        raise MergeError(message, code="deleted")
    standing = ProfileMerge.objects.standing()
    outer = standing.filter(absorbed=survivor).select_related("survivor").first()
    if outer is not None:
        raise MergeError(
            f"{survivor.name} was merged into {outer.survivor.name} since. Undo that merge first.",
            code="merged_since",
        )
    later = standing.filter(survivor=survivor, pk__gt=merge.pk).order_by("-pk")
    last = later.select_related("absorbed").first()
    if last is not None:
        message = (
            f"{last.absorbed.name} was merged into {survivor.name} since. Undo that merge first."
        )
        raise MergeError(message, code="merged_since")


def _unmerge(merge: ProfileMerge, actor: Actor, now: datetime) -> Unmerged:
    survivor, absorbed = _locked(merge)
    before, after = merge.survivor_before or {}, merge.survivor_after or {}
    found = current_row(survivor.pk)
    record = UndoRecord(merge)
    record.undo_steps()
    rewound = rewind(before=before, after=after, now=found)
    restored = dict(merge.absorbed_before or {})
    not_returned = _without_taken(restored, rewound.row)
    if rewound.is_changed:
        rewound.row |= {"updated_at": now.isoformat(), "updated_by": actor.id}
    write_row(rewound.row)
    write_row(restored)
    survivor, absorbed = _locked(merge)
    _drop_shown(absorbed)
    stays = list(_born_since(merge))
    _keep_replaced(survivor, before)
    refused = _settle_consent(survivor, absorbed, before=before, after=after, now=found)
    if rewound.is_recount_due:
        _recount((survivor, absorbed), now)
    merge.undone_at, merge.undone_by = now, actor.id
    merge.save(update_fields=["undone_at", "undone_by"])
    record.survivor, record.absorbed = survivor, absorbed
    profile_unmerged.send(
        sender=CustomerProfile, survivor=survivor, absorbed=absorbed, record=record
    )
    done = Unmerged(
        merge=merge,
        survivor=survivor,
        restored=absorbed,
        moved_back=record.moved_back,
        stays=stays,
        kept=rewound.kept,
        not_returned=not_returned,
        left_as_is=record.left_as_is,
        refused_on_both=refused,
    )
    audit.record("UNMERGE", survivor, actor=actor, metadata=_told(done))
    return done


def _locked(merge: ProfileMerge) -> tuple[CustomerProfile, CustomerProfile]:
    rows = CustomerProfile.objects.filter(pk__in=(merge.survivor_id, merge.absorbed_id))
    found = {row.pk: row for row in rows.order_by("pk").only(*READ).select_for_update()}
    return found[merge.survivor_id], found[merge.absorbed_id]


def _without_taken(restored: Row, ours: Row) -> list[str]:
    """Take from both rows what another live profile has by now, and from the absorbed one's what
    the survivor keeps. Returns what does not come back to the absorbed one."""
    others = CustomerProfile.objects.live().exclude(pk__in=(restored["id"], ours["id"]))
    missing = []
    for name in IDENTIFIERS:
        values = {row[name] for row in (restored, ours) if row[name] is not None}
        rows = others.filter(**{f"{name}__in": values})
        taken = set(rows.values_list(name, flat=True)) if values else set()
        if restored[name] is not None and restored[name] in {*taken, ours[name]}:
            restored[name] = None
            missing.append(name)
        if ours[name] in taken:
            ours[name] = None
    return missing


def _drop_shown(profile: CustomerProfile) -> None:
    """What the absorbed one shows again leads to it by itself, and to nobody else."""
    for name in IDENTIFIERS:
        if (held := getattr(profile, name)) is not None:
            kind, value = ALIAS_TYPES[name], alias_value(name, held)
            IdentityAlias.objects.filter(type=kind, value=value).delete()


def _keep_replaced(survivor: CustomerProfile, before: Row) -> None:
    """What the survivor showed before the merge, and does not show any more, still leads to it."""
    for name in IDENTIFIERS:
        ours = before[name]
        if ours is not None and getattr(survivor, name) != ours:
            IdentityAlias.objects.get_or_create(
                type=ALIAS_TYPES[name],
                value=alias_value(name, ours),
                defaults={"customer": survivor, "source": ALIAS_SOURCE},
            )


def _settle_consent(
    survivor: CustomerProfile, absorbed: CustomerProfile, *, before: Row, after: Row, now: Row
) -> list[str]:
    """Each as it was, but what Messaging said since stands; a refusal since counts for both.

    Returns the labels of channels so refused, since nobody can say who of the two it was.
    """
    was, became, is_now = consents_in(before), consents_in(after), consents_in(now)
    theirs = consents_of(absorbed)
    ours: Consents = {
        channel: was[channel] if is_now[channel] == became[channel] else is_now[channel]
        for channel in was
    }
    refused = [
        channel
        for channel in was
        if is_now[channel] != became[channel] and not is_now[channel].is_opted_in
    ]
    write_consent(survivor, ours)
    both = stricter_consents(ours, theirs)
    lost = [channel for channel in refused if theirs[channel].is_opted_in]
    if lost:
        write_consent(absorbed, {channel: both[channel] for channel in lost})
    return [channel.label for channel in refused]


def _recount(profiles: Iterable[CustomerProfile], now: datetime) -> None:
    by_id = {profile.pk: profile for profile in profiles}
    counts = recent_counts(by_id, now=now)
    for pk, profile in by_id.items():
        values = zip(COUNTERS, counts.get(pk, (0,) * len(COUNTERS)), strict=True)
        CustomerProfile.objects.filter(pk=pk).update(**dict(values))
        profile.refresh_from_db(fields=COUNTERS)


def _born_since(merge: ProfileMerge) -> Iterable[Stays]:
    """Ids grow with time, so that what is younger than the merge has a greater one."""
    for each in moving_belongings():
        rows = each.model.objects.filter(
            **{f"{each.field}_id": merge.survivor_id, "pk__gt": merge.pk}
        )
        if each.model is Activity:
            bookings = rows.filter(type="TEETIME_BOOKED").count()
            if bookings:
                yield Stays("bookings", bookings, f"{bookings:,} booking{'s' * (bookings != 1)}")
            rows = rows.exclude(type="TEETIME_BOOKED")
        if count := rows.count():
            yield Stays(each.many, count, each.count_words(count))


def _told(done: Unmerged) -> dict[str, Any]:
    return {
        "mergeId": str(done.merge.pk),
        "restoredId": str(done.restored.pk),
        "movedBack": done.moved_back,
        "stays": [each.words for each in done.stays],
        "kept": [camel_case(name) for name in done.kept],
        "notReturned": [camel_case(name) for name in done.not_returned],
    }


def _label(name: str) -> str:
    field: Any = CustomerProfile._meta.get_field(name)
    return str(field.verbose_name)
