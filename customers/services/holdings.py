"""What is held about one person, section by section. Apps above add theirs (``holding``)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from crm_site.audit.models import CrmAuditLog
from crm_site.db.names import camel_case
from customers.models import (
    Activity,
    CustomerNote,
    CustomerProfile,
    CustomerScore,
    DuplicateCandidate,
    IdentityAlias,
    ImportChange,
    NoteRevision,
    ProfileMerge,
    SyncLog,
)
from customers.models.profile import CONSENT_FLAGS

# Of ours alone: which club it is goes without saying, and words to search by say nothing new.
LEFT_OUT = {"tenant_id", "search_vector"}
CHUNK = 2_000

Row = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """Whose data is told, and to whom: ``viewer`` is the actor id that private notes are kept from.

    ``profile_ids`` are the profile and those merged into it.
    """

    profile: CustomerProfile
    profile_ids: tuple[UUID, ...]
    viewer: str


Teller = Callable[[Subject], Iterable[Row]]


@dataclass(frozen=True)
class Holding:
    """One section: its name in JSON, its heading for people, and what gives its rows."""

    name: str
    title: str
    rows: Teller


_holdings: list[Holding] = []


def holding(name: str, *, title: str) -> Callable[[Teller], Teller]:
    """Register a section of everything held about a person."""

    def register(rows: Teller) -> Teller:
        _holdings.append(Holding(name, title, rows))
        return rows

    return register


def holdings() -> tuple[Holding, ...]:
    return tuple(_holdings)


def subject_of(profile: CustomerProfile, *, viewer: str) -> Subject:
    ids, fresh = [profile.pk], [profile.pk]
    while fresh:
        merged = CustomerProfile.objects.filter(merged_into__in=fresh).exclude(pk__in=ids)
        fresh = list(merged.values_list("pk", flat=True))
        ids += fresh
    return Subject(profile, tuple(ids), viewer)


def told(rows: QuerySet[Any], *, leave_out: Iterable[str] = ()) -> Iterator[Row]:
    """Whole rows in the data model's names, a few thousand at a time."""
    left_out = {*LEFT_OUT, *leave_out}
    fields = [f.attname for f in rows.model._meta.concrete_fields if f.attname not in left_out]
    for row in rows.values(*fields).iterator(chunk_size=CHUNK):
        yield {camel_case(name): value for name, value in row.items()}


@holding("profiles", title="Who they are")
def _profiles(subject: Subject) -> Iterator[Row]:
    return told(CustomerProfile.objects.filter(pk__in=subject.profile_ids).order_by("created_at"))


@holding("consent", title="What they agreed to")
def _consent(subject: Subject) -> Iterator[Row]:
    for channel, flag in CONSENT_FLAGS.items():
        changed_at = getattr(subject.profile, f"{flag.removesuffix('_opt_in')}_consent_changed_at")
        yield {
            "channel": channel.value,
            "optedIn": getattr(subject.profile, flag),
            "optedInAt": getattr(subject.profile, f"{flag}_at"),
            "changedAt": changed_at,
            "source": "messaging" if changed_at else None,
        }


@holding("consentHistory", title="When they said yes or no")
def _consent_history(subject: Subject) -> Iterator[Row]:
    rows = Activity.objects.filter(customer__in=subject.profile_ids, type="CONSENT_CHANGED")
    for row in rows.order_by("occurred_at", "pk").iterator(chunk_size=CHUNK):
        yield {
            "channel": row.channel,
            "decision": row.title,
            "at": row.occurred_at,
            "source": row.source_service,
            "via": row.description,
        }


@holding("identifiers", title="Also known by")
def _identifiers(subject: Subject) -> Iterator[Row]:
    return told(IdentityAlias.objects.filter(customer__in=subject.profile_ids))


@holding("activities", title="What happened")
def _activities(subject: Subject) -> Iterator[Row]:
    rows = Activity.objects.filter(customer__in=subject.profile_ids)
    return told(rows.order_by("occurred_at", "pk"))


@holding("notes", title="What staff wrote")
def _notes(subject: Subject) -> Iterator[Row]:
    return told(_visible_notes(subject).order_by("created_at", "pk"))


@holding("noteHistory", title="What notes said before")
def _note_history(subject: Subject) -> Iterator[Row]:
    return told(NoteRevision.objects.filter(note__in=_visible_notes(subject)))


def _visible_notes(subject: Subject) -> QuerySet[CustomerNote]:
    rows: QuerySet[CustomerNote] = CustomerNote.objects.visible_to(subject.viewer)
    return rows.filter(customer__in=subject.profile_ids)


@holding("scores", title="How they were scored, week by week")
def _scores(subject: Subject) -> Iterator[Row]:
    return told(CustomerScore.objects.filter(customer__in=subject.profile_ids).order_by("week"))


@holding("possibleDuplicates", title="Whom they were taken for")
def _duplicates(subject: Subject) -> Iterator[Row]:
    """Only that it was so: the other one is somebody else."""
    ids = subject.profile_ids
    pairs = DuplicateCandidate.objects.filter(Q(profile_a__in=ids) | Q(profile_b__in=ids))
    return told(pairs, leave_out=("profile_a_id", "profile_b_id", "match_fields", "notes"))


@holding("events", title="What other services sent about them")
def _events(subject: Subject) -> Iterator[Row]:
    rows = SyncLog.objects.filter(customer_id__in=subject.profile_ids).order_by("pk")
    return told(rows, leave_out=("conflict_payload",))


@holding("merges", title="Profiles that were folded together")
def _merges(subject: Subject) -> Iterator[Row]:
    """Of an undone one only that it was: the other may have been somebody else."""
    ids = subject.profile_ids
    rows = ProfileMerge.objects.filter(Q(survivor__in=ids) | Q(absorbed__in=ids))
    snapshots = ("survivor_before", "absorbed_before", "survivor_after")
    return told(rows.order_by("merged_at"), leave_out=(*snapshots, "picks"))


@holding("imports", title="What imports changed")
def _imports(subject: Subject) -> Iterator[Row]:
    return told(ImportChange.objects.filter(customer__in=subject.profile_ids))


@holding("auditEntries", title="Who changed what of it")
def _audit(subject: Subject) -> Iterator[Row]:
    ids = [str(pk) for pk in subject.profile_ids]
    aliases = IdentityAlias.objects.filter(customer__in=subject.profile_ids)
    ids += [str(pk) for pk in aliases.values_list("pk", flat=True)]
    rows = CrmAuditLog.objects.filter(
        entity_type__in=("CustomerProfile", "IdentityAlias"), entity_id__in=ids
    )
    # From where staff worked is about them.
    return told(rows.order_by("performed_at"), leave_out=("ip_address", "user_agent"))
