"""A copy of who was erased, outside the database: what a restored backup is put right by.

One file per tenant, ``<tenant>.jsonl`` under ``ERASURE_COPY_DIR``, one erasure a line, of which the
latest counts. There is nothing in it that says who somebody was.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile, ErasedIdentity, Erasure
from customers.services.erased import ErasureError, erased_among, key_id
from customers.services.erasure import erase_again
from customers.services.facts import IDENTIFIERS
from customers.services.identity import lock_identities

AT_ONCE = 1_000


@dataclass
class Report:
    """What going through the copy found. ``look_at`` are live customers with an erased identifier:
    perhaps somebody else by now, so a person decides."""

    known: int = 0
    added: int = 0
    erased_again: int = 0
    unknown_keys: set[str] = field(default_factory=set)
    look_at: list[UUID] = field(default_factory=list)


def copy_new(*, now: datetime) -> int:
    """Append what the copy has not heard of, and note that it has. Returns how many.

    A crash between the two appends a line again, which does no harm. Call in a transaction.
    """
    rows = list(Erasure.objects.filter(copied_at__isnull=True).select_for_update()[:AT_ONCE])
    if rows:
        identities: dict[UUID, list[dict[str, Any]]] = {}
        for each in ErasedIdentity.objects.filter(erasure__in=rows).order_by("pk"):
            identities.setdefault(each.erasure_id, []).append(each.as_json())
        _append(_line(row, identities.get(row.pk, [])) for row in rows)
        Erasure.objects.filter(pk__in=[row.pk for row in rows]).update(copied_at=now)
    return len(rows)


def _line(erasure: Erasure, identities: list[dict[str, Any]]) -> str:
    told = {
        "erasureId": str(erasure.pk),
        "profileIds": [str(pk) for pk in erasure.profile_ids],
        "reason": erasure.reason,
        "erasedAt": erasure.erased_at.isoformat(),
        "performedBy": erasure.performed_by,
        "identities": identities,
    }
    return json.dumps(told, separators=(",", ":")) + "\n"


def copy_path() -> Path:
    """Where the copy of the tenant in scope is."""
    return Path(settings.ERASURE_COPY_DIR) / f"{require_tenant_id()}.jsonl"


def _append(lines: Iterable[str]) -> None:
    path = copy_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def read_copy() -> list[dict[str, Any]]:
    """The copy's erasures of the tenant in scope, the oldest first. Raises ErasureError where a
    line cannot be read: it must be mended before anybody trusts the database again."""
    path = copy_path()
    if not path.exists():
        return []
    latest: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            told = json.loads(line)
            latest[told["erasureId"]] = told
        except (ValueError, KeyError, TypeError):
            raise ErasureError(f"{path}, line {number}: this cannot be read.") from None
    return sorted(latest.values(), key=lambda told: str(told["erasedAt"]))


def reapply(*, actor: Actor, is_dry_run: bool = False) -> Report:
    """After going back to a backup: bring the ledger up to the copy, erase again who came back.

    Customers are found by their ids, which a backup keeps. One transaction for each erasure, so it
    may be run again after it broke off.
    """
    report = Report()
    known_keys = {key_id(key) for key in settings.ERASURE_KEYS}
    for told in read_copy():
        with transaction.atomic():
            lock_identities()
            _reapply_one(told, report, actor)
            transaction.set_rollback(is_dry_run)
        used = {each["keyId"] for each in told["identities"]}
        report.unknown_keys |= used - known_keys
    with transaction.atomic():
        report.look_at = list(_holders_of_erased())
    return report


def _reapply_one(told: dict[str, Any], report: Report, actor: Actor) -> None:
    erasure, is_new = Erasure.objects.get_or_create(
        pk=UUID(told["erasureId"]),
        defaults={
            "profile_ids": [UUID(pk) for pk in told["profileIds"]],
            "reason": told["reason"],
            "erased_at": datetime.fromisoformat(told["erasedAt"]),
            "performed_by": told["performedBy"],
            "copied_at": datetime.fromisoformat(told["erasedAt"]),
        },
    )
    report.added += is_new
    report.known += not is_new
    for each in told["identities"]:
        ErasedIdentity.objects.update_or_create(
            erasure=erasure,
            hash=each["hash"],
            defaults={
                "kind": each["kind"],
                "key_id": each["keyId"],
                "readmitted_at": each["readmittedAt"],
                "readmitted_by": each["readmittedBy"],
            },
        )
    report.erased_again += erase_again(erasure, actor=actor)


def _holders_of_erased() -> Iterator[UUID]:
    rows = CustomerProfile.objects.live().values_list("pk", *IDENTIFIERS).order_by("pk")
    batch: list[tuple[Any, ...]] = []
    for row in rows.iterator(chunk_size=AT_ONCE):
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield from _erased_of(batch)
            batch = []
    yield from _erased_of(batch)


def _erased_of(batch: list[tuple[Any, ...]]) -> Iterator[UUID]:
    held = {
        pk: {item for item in zip(IDENTIFIERS, values, strict=True) if item[1] is not None}
        for pk, *values in batch
    }
    erased = erased_among(item for items in held.values() for item in items)
    yield from (pk for pk, items in held.items() if items & erased)
