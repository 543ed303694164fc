"""Taking an import back: whom it made goes, what it changed is put back, unless changed since."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.db.rows import as_json, update_rows
from crm_site.jobs.services import Reporter
from crm_site.tenancy.context import local_settings
from customers.choices import CustomerStatus
from customers.models import (
    Activity,
    CustomerImport,
    CustomerNote,
    CustomerProfile,
    IdentityAlias,
    ImportBatch,
    ImportChange,
)
from customers.services.facts import IDENTIFIERS
from customers.services.identity import lock_identities
from customers.services.ownership import CRM

CHANGES_A_STEP = 1_000


def undo_import(job: CustomerImport, report: Reporter) -> None:
    """Undo ``job.undoes``. Newest changes first; safe to begin again after it broke off.

    A customer it made stays if somebody changed them since, or if anything happened to them since;
    a value stays if it is not what the import made it.
    """
    undone = job.undoes
    assert undone is not None  # noqa: S101 - a job of this kind names one
    with transaction.atomic():
        batches = list(ImportBatch.objects.filter(job=undone).order_by("-first_row"))
        total = max(len(batches) + undone.updated_count // CHANGES_A_STEP, 1)
    step = 0
    try:
        for batch in batches:
            with transaction.atomic(), local_settings(audit="off"):
                report.hold()
                _remove(job, batch, undone)
            step += 1
            report(min(step / total, 0.999), f"{job.removed_count:,} people taken out again")
        while _put_back_some(job, undone, report):
            step += 1
            done = job.restored_count
            report(min(step / total, 0.999), f"{done:,} people put back as they were")
    finally:
        with transaction.atomic():
            counts = {
                "removed": job.removed_count,
                "restored": job.restored_count,
                "left": job.left_count,
            }
            metadata = {"file": job.file_name, "import": str(undone.pk), **counts}
            audit.record("UNDO_IMPORT", undone, actor=Actor(job.requested_by), metadata=metadata)


def _remove(job: CustomerImport, batch: ImportBatch, undone: CustomerImport) -> None:
    now, actor = timezone.now(), Actor.current().id
    lock_identities()
    live = CustomerProfile.objects.live().filter(pk__in=batch.created_ids)
    by_import = ImportBatch.objects.filter(
        job=undone, started_at__lte=OuterRef("updated_at"), written_at__gte=OuterRef("updated_at")
    )
    untouched = live.filter(Exists(by_import), updated_by=undone.requested_by)
    there = live.count()
    gone = (
        untouched.exclude(_has(Activity))
        .exclude(_has(CustomerNote))
        .update(deleted_at=now, status=CustomerStatus.DELETED, updated_at=now, updated_by=actor)
    )
    _count(job, removed=gone, left=there - gone)
    # Nothing is left to do for it, should this be begun again.
    ImportBatch.objects.filter(pk=batch.pk).update(created_ids=[])


def _has(model: Any) -> Exists:
    return Exists(model.objects.filter(customer=OuterRef("pk")))


def _put_back_some(job: CustomerImport, undone: CustomerImport, report: Reporter) -> bool:
    """Put back the newest changes that are left; returns whether there were any."""
    with transaction.atomic(), local_settings(audit="off"):
        report.hold()
        lock_identities()
        rows = ImportChange.objects.filter(job=undone).order_by("-pk")[:CHANGES_A_STEP]
        changes = list(rows)
        if not changes:
            return False
        restored, left = _put_back(changes, undone)
        ImportChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
        _count(job, restored=restored, left=left)
    return True


def _put_back(changes: Sequence[ImportChange], undone: CustomerImport) -> tuple[int, int]:
    """Newest first. Returns how many changes could be taken back whole, and how many could not.

    The addresses that the import moved aside are no aliases any more where they are back. Whom
    this import made and who is gone by now counts for neither.
    """
    ids = [change.customer_id for change in changes]
    people = CustomerProfile.objects.filter(pk__in=ids, deleted_at__isnull=True)
    locked = people.defer("search_vector").order_by("pk").select_for_update(no_key=True)
    profiles: dict[UUID, CustomerProfile] = {profile.pk: profile for profile in locked}
    taken = _held_by_others(changes)
    changed: dict[UUID, CustomerProfile] = {}
    names: set[str] = set()
    known_otherwise: set[UUID] = set()
    counts: Counter[bool] = Counter()
    for change in changes:
        profile = profiles.get(change.customer_id)
        if profile is None:
            continue
        moved, is_whole = _take_back(profile, change.changes, taken)
        if moved:
            names.update(moved)
            changed[profile.pk] = profile
        if not {*change.changes} & {*IDENTIFIERS} <= {*moved}:
            known_otherwise.add(profile.pk)
        counts[is_whole] += 1
    now, actor = timezone.now(), Actor.current().id
    for profile in changed.values():
        profile.updated_at, profile.updated_by = now, actor
    update_rows(list(changed.values()), names | {"updated_at", "updated_by"})
    _drop_aliases({*ids} - known_otherwise, undone)
    return counts[True], counts[False]


def _drop_aliases(customer_ids: Collection[UUID], undone: CustomerImport) -> None:
    """Aliases say who told of them and when, but not which import: its batches know when."""
    by_import = ImportBatch.objects.filter(
        job=undone, started_at__lte=OuterRef("created_at"), written_at__gte=OuterRef("created_at")
    )
    IdentityAlias.objects.filter(Exists(by_import), customer__in=customer_ids, source=CRM).delete()


def _take_back(
    profile: CustomerProfile, changes: dict[str, Any], taken: set[tuple[str, Any]]
) -> tuple[list[str], bool]:
    """Put back each value that is still as the import left it. Returns which, and whether all."""
    if profile.merged_at is not None:
        return [], False
    moved = [
        name
        for name, said in changes.items()
        if as_json(getattr(profile, name)) == said["new"]
        and not (name in IDENTIFIERS and (name, said["old"]) in taken)
    ]
    for name in moved:
        field: Any = CustomerProfile._meta.get_field(name)
        setattr(profile, name, field.to_python(changes[name]["old"]))
    # When a source spoke of a field is the machine's own note; nobody misses it.
    return moved, not set(changes) - {*moved, "source_times"}


def _held_by_others(changes: Sequence[ImportChange]) -> set[tuple[str, Any]]:
    """Identifiers to be given back that lead to somebody else by now."""
    taken: set[tuple[str, Any]] = set()
    for name in IDENTIFIERS:
        wanted = {
            said["old"]: change.customer_id
            for change in changes
            if (said := change.changes.get(name)) and said["old"] is not None
        }
        holders = CustomerProfile.objects.live().filter(**{f"{name}__in": list(wanted)})
        for value, pk in holders.values_list(name, "pk"):
            if wanted.get(value) != pk:
                taken.add((name, value))
    return taken


def _count(job: CustomerImport, *, removed: int = 0, restored: int = 0, left: int = 0) -> None:
    job.removed_count += removed
    job.restored_count += restored
    job.left_count += left
    job.save(update_fields=["removed_count", "restored_count", "left_count"])
