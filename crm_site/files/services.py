"""Keeping files, writing on, reading them, and removing them in time."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.files.models import StoredFile, StoredFileChunk

CHUNK_BYTES = 1024 * 1024


@transaction.atomic
def keep_file(
    *,
    purpose: str,
    name: str,
    chunks: Iterable[bytes],
    actor: Actor,
    keep_for: timedelta,
    now: datetime,
    content_type: str = "application/octet-stream",
) -> StoredFile:
    """Keep a file whole; returns it with its size and hash."""
    file = start_file(
        purpose=purpose, name=name, actor=actor, keep_for=keep_for, now=now,
        content_type=content_type,
    )  # fmt: skip
    digest = hashlib.sha256()
    for number, data in enumerate(_evenly(chunks)):
        digest.update(data)
        file.size += len(data)
        StoredFileChunk.objects.create(file=file, number=number, data=data)
    file.sha256 = digest.hexdigest()
    file.save(update_fields=["size", "sha256"])
    return file


def start_file(
    *,
    purpose: str,
    name: str,
    actor: Actor,
    keep_for: timedelta,
    now: datetime,
    content_type: str = "application/octet-stream",
) -> StoredFile:
    """An empty file to append to."""
    return StoredFile.objects.create(
        purpose=purpose,
        name=name[-255:],
        content_type=content_type[:100],
        created_by=actor.id,
        created_at=now,
        expires_at=now + keep_for,
    )


@transaction.atomic
def append_to_file(file: StoredFile, data: bytes) -> None:
    """Write on at the end of a file, in the caller's transaction. One writer at a time."""
    number = file.chunks.count()
    for part in _evenly([data]):
        StoredFileChunk.objects.create(file=file, number=number, data=part)
        number += 1
    file.size += len(data)
    file.save(update_fields=["size"])


def _evenly(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at most ``CHUNK_BYTES``."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


def read_file(file: StoredFile) -> Iterator[bytes]:
    """The contents piece by piece; each is read in a transaction of its own."""
    number = 0
    while True:
        with transaction.atomic():
            rows = StoredFileChunk.objects.filter(file=file, number=number)
            data = rows.values_list("data", flat=True).first()
        if data is None:
            return
        yield bytes(data)
        number += 1


def read_beginning(file: StoredFile, size: int) -> bytes:
    """The first ``size`` bytes, or all there are."""
    found = bytearray()
    for piece in read_file(file):
        found += piece
        if len(found) >= size:
            break
    return bytes(found[:size])


def remove_expired_files(now: datetime) -> int:
    """Remove the files of the tenant in scope that have had their time. Returns how many."""
    with transaction.atomic():
        expired = list(StoredFile.objects.filter(expires_at__lte=now).values_list("pk", flat=True))
    for pk in expired:
        with transaction.atomic():
            StoredFile.objects.filter(pk=pk).delete()
    return len(expired)
