"""Files that web and workers share."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from crm_site.files.models import StoredFile
from crm_site.files.services import (
    CHUNK_BYTES,
    append_to_file,
    keep_file,
    read_beginning,
    read_file,
    remove_expired_files,
    start_file,
)
from crm_site.tenancy.context import tenant_scope


@pytest.fixture
def keep(tenant, actor):
    def make(data, days=1):
        return keep_file(
            purpose="test", name="people.csv", chunks=data, actor=actor,
            keep_for=timedelta(days=days), now=timezone.now(),
        )  # fmt: skip

    return make


def test_what_is_kept_is_read_again(keep):
    data = b"0123456789abcdef" * (CHUNK_BYTES // 16) + b"the end"

    file = keep([data[:100], data[100:]])

    assert b"".join(read_file(file)) == data
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert file.chunks.count() == 2
    assert read_beginning(file, 20) == data[:20]


def test_an_empty_file_is_a_file(keep):
    file = keep([])

    assert (list(read_file(file)), file.size) == ([], 0)


def test_a_file_is_written_on(tenant, actor):
    file = start_file(
        purpose="test", name="r.csv", actor=actor, keep_for=timedelta(days=1), now=timezone.now()
    )
    append_to_file(file, b"one\n")
    append_to_file(file, b"two\n")

    assert b"".join(read_file(file)) == b"one\ntwo\n"


def test_old_files_go_and_others_stay(keep, other_tenant, actor):
    old, new = keep([b"old"], days=1), keep([b"new"], days=3)
    with tenant_scope(other_tenant.pk):
        theirs = keep([b"theirs"], days=1)

    assert remove_expired_files(timezone.now() + timedelta(days=2)) == 1

    assert list(StoredFile.objects.values_list("pk", flat=True)) == [new.pk]
    with tenant_scope(other_tenant.pk):
        assert StoredFile.objects.filter(pk=theirs.pk).exists()
    assert list(read_file(old)) == []
