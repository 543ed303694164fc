"""Searching a tenant for pairs that may be one person (docs/matching.md).

Profiles are copied to a private file, compared outside the database by ``customers.matching``, and
what is found is written back by the thousand.
"""

import csv
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.db.timeouts import statement_timeout
from crm_site.jobs.models import JobStatus
from crm_site.jobs.services import JobError, Reporter, request_job
from crm_site.tenancy.context import local_settings, require_tenant_id
from customers.choices import ScanKind
from customers.matching.explaining import Pair
from customers.matching.parameters import Parameters
from customers.matching.preparing import CLAIM_COLUMNS, COLUMNS
from customers.matching.scanning import ENGINE, Scan, scan
from customers.models import DuplicateCandidate, DuplicateScan
from customers.services.found_pairs import drop_unfound, write_pairs

COPY_SECONDS = 10 * 60
CHUNK = 2_000
# Who was written in a transaction that began before the last scan and ended after it.
OVERLAP = timedelta(minutes=15)
FULL_EVERY = timedelta(days=7)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
STALE_FOLDER = timedelta(hours=12)

PROFILES = """
COPY (
    SELECT id, first_name, last_name, date_of_birth, email, phone_number, address_line1, city,
        postal_code, updated_at > {since}
    FROM customers_customerprofile
    WHERE tenant_id = {tenant} AND deleted_at IS NULL AND merged_at IS NULL
) TO STDOUT (FORMAT csv)
"""


def request_scan(*, kind: ScanKind, actor: Actor, now: datetime) -> DuplicateScan:
    """Put a scan in the queue; returns the one that waits or runs already, if there is one.

    One of who changed becomes one of everybody where none has ended well yet. The caller nudges it.
    """
    since = None if kind == ScanKind.FULL else _watermark()
    kind = ScanKind.FULL if since is None else kind
    values = {"kind": kind, "changed_since": since, "requested_at": now}
    try:
        return request_job(DuplicateScan, actor=actor, **values)
    except JobError:
        return DuplicateScan.objects.open().get()


def due_scan(now: datetime) -> ScanKind:
    """What the nightly tick asks for: everybody once a week, else who changed."""
    ended = DuplicateScan.objects.filter(status=JobStatus.SUCCESS)
    if not ended.filter(kind=ScanKind.FULL, requested_at__gt=now - FULL_EVERY).exists():
        return ScanKind.FULL
    return ScanKind.INCREMENTAL


def _watermark() -> datetime | None:
    last = DuplicateScan.objects.filter(status=JobStatus.SUCCESS).order_by("-started_at").first()
    return last.started_at - OVERLAP if last and last.started_at else None


def run_scan(job: DuplicateScan, report: Reporter) -> None:
    """Carry out a scan. May be run again from the start: what it wrote it finds again."""
    report(0.0, "Reading customers")
    with _private_folder() as folder:
        profiles, claims = folder / "profiles.csv", folder / "claims.csv"
        with transaction.atomic(), statement_timeout(COPY_SECONDS):
            _copy_profiles(profiles, job.changed_since)
            _write_claims(claims)
            known = _known_parameters() if job.changed_since else None
        found = scan(
            profiles,
            folder=folder,
            claims=claims,
            changed_only=job.changed_since is not None,
            known=known,
            report=lambda progress, stage: report(0.1 + 0.7 * progress, stage),
        )
    pairs = [pair for pair in found.pairs if _is_kept(pair)]
    report(
        0.85,
        "Writing what was found",
        profile_count=found.profile_count,
        compared_count=found.compared_count,
        found_count=sum(not pair.is_household for pair in pairs),
        household_count=sum(pair.is_household for pair in pairs),
        remarks=[f"{each}: left out." for each in found.skipped],
        parameters=_to_keep(found) if job.changed_since is None else None,
    )
    new = reopened = 0
    chunks = iter(pairs)
    written = 0
    while chunk := list(islice(chunks, CHUNK)):
        with transaction.atomic(), local_settings(audit="off"):
            report.hold()
            added, opened = write_pairs(chunk)
        new, reopened, written = new + added, reopened + opened, written + len(chunk)
        report(0.85 + 0.1 * written / len(pairs), "Writing what was found",
               new_count=new, reopened_count=reopened)  # fmt: skip
    with transaction.atomic(), local_settings(audit="off"):
        report.hold()
        removed = drop_unfound(pairs, changed_since=job.changed_since)
    report(0.99, "Done", removed_count=removed)
    with transaction.atomic():
        counts = {"found": job.found_count, "new": new, "reopened": reopened, "removed": removed}
        audit.record("SCAN", job, actor=Actor(job.requested_by), metadata=counts)


def _known_parameters() -> Parameters | None:
    """What the last scan of everybody counted, if it was with the model of today."""
    full = DuplicateScan.objects.filter(
        status=JobStatus.SUCCESS, kind=ScanKind.FULL, parameters__isnull=False
    )
    kept = full.order_by("-started_at").values_list("parameters", flat=True).first()
    if kept is None or kept["engine"] != ENGINE:
        return None
    return Parameters(prior=kept["prior"], u=kept["u"])


def _to_keep(found: Scan) -> dict[str, Any] | None:
    return {"engine": ENGINE, **asdict(found.parameters)} if found.parameters else None


def _is_kept(pair: Pair) -> bool:
    """Whoever merely shares a name and is not the same person is nobody's household."""
    contact = pair.agreements["contact"].level or ""
    shares = contact.startswith(("same e-mail", "same phone")) or contact.endswith("address")
    return not pair.is_household or shares


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A directory only we may enter, gone afterwards. What a killed worker left goes first."""
    base = Path(settings.DATA_DIR) / "matching"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    oldest = timezone.now().timestamp() - STALE_FOLDER.total_seconds()
    for leftover in base.iterdir():
        if leftover.stat().st_mtime < oldest:
            shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


def _copy_profiles(path: Path, since: datetime | None) -> None:
    statement = sql.SQL(PROFILES).format(
        tenant=sql.Literal(require_tenant_id()), since=sql.Literal(since or NEVER)
    )
    with connection.cursor() as cursor, path.open("wb") as file:
        file.write((",".join(COLUMNS) + "\n").encode())
        connection.tell_settings()  # type: ignore[attr-defined]
        with cursor.copy(statement) as rows:
            for block in rows:
                file.write(block)


def _write_claims(path: Path) -> None:
    """Who gave an identifier that another holds: two live profiles never hold one together."""
    conflicts = DuplicateCandidate.objects.exclude(claimed=[]).values_list(
        "pk", "profile_a_id", "profile_b_id", "claimed"
    )
    shared: dict[UUID, tuple[set[str], set[str]]] = {}
    groups = _Groups()
    for pk, one, other, claimed in conflicts.iterator():
        groups.join(one, other)
        for profile in (one, other):
            emails, phones = shared.setdefault(profile, (set(), set()))
            if "email" in claimed:
                emails.add(pk.hex)
            if "phone_number" in claimed:
                phones.add(pk.hex)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CLAIM_COLUMNS)
        for profile, (emails, phones) in shared.items():
            group = groups.of(profile)
            writer.writerow([profile, group, " ".join(sorted(emails)), " ".join(sorted(phones))])


class _Groups:
    """Who hangs together, over however many others."""

    def __init__(self) -> None:
        self._above: dict[UUID, UUID] = {}

    def of(self, profile: UUID) -> UUID:
        while (above := self._above.get(profile, profile)) != profile:
            self._above[profile] = self._above.get(above, above)
            profile = above
        return profile

    def join(self, one: UUID, other: UUID) -> None:
        self._above[self.of(one)] = self.of(other)
