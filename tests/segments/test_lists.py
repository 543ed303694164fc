"""Lists filled from files and identifiers."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import Workbook

from crm_site.tenancy.context import tenant_scope
from customers.services.finding import IdentifierKind, find_many
from customers.services.merging import merge_profiles
from segments.services.importing import import_members
from segments.services.lists import Line, read_list
from segments.services.refreshing import SegmentError
from tests.factories import make_customer, make_segment
from tests.segments.test_refreshing import members


def bring(segment, *texts, kind=IdentifierKind.ANY, actor):
    lines = [Line(number, text) for number, text in enumerate(texts, start=1)]
    return import_members(segment=segment, lines=lines, kind=kind, actor=actor, now=timezone.now())


def test_people_are_found_by_whatever_is_known_of_them(tenant, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        make_customer(email="theirs@example.com")
    ann = make_customer(email="ann@example.com")
    ben = make_customer(scl_member_id=1042)
    cleo = make_customer(phone_number="+27825550101")
    dan = make_customer()
    segment = make_segment(type="IMPORT", criteria=None)

    report = bring(
        segment, " Ann@Example.com", "1042", "082 555 0101", str(dan.pk), "ann@example.com",
        "theirs@example.com", "99", "nobody", actor=actor,
    )  # fmt: skip

    assert members(segment) == {ann.pk, ben.pk, cleo.pk, dan.pk}
    assert (report.found_count, report.entered_count, report.already_count) == (5, 4, 0)
    assert [(line.number, line.text) for line in report.not_found] == [
        (6, "theirs@example.com"), (7, "99"), (8, "nobody"),
    ]  # fmt: skip
    segment.refresh_from_db()
    assert segment.member_count == 4
    assert set(segment.memberships.values_list("added_by", flat=True)) == {actor.id}
    assert bring(segment, "1042", actor=actor).already_count == 1


def test_a_merged_profiles_address_leads_to_who_is_left(tenant, actor):
    ann = make_customer(email="ann@example.com")
    double = make_customer(email="a.smith@example.com")
    merge_profiles(survivor_id=ann.pk, absorbed_id=double.pk, actor=actor)

    found = find_many(["a.smith@example.com", str(double.pk)], IdentifierKind.ANY)

    assert set(found.values()) == {ann.pk}
    assert len(found) == 2


def test_a_named_kind_is_not_guessed_at(tenant, actor):
    make_customer(scl_member_id=1042)

    assert find_many(["1042"], IdentifierKind.EMAIL) == {}
    assert len(find_many(["1042"], IdentifierKind.MEMBER_NUMBER)) == 1


def test_a_segment_by_rules_and_an_empty_list_are_refused(tenant, actor):
    with pytest.raises(SegmentError, match="Only a list"):
        bring(make_segment(), "1042", actor=actor)
    with pytest.raises(SegmentError, match="nobody"):
        bring(make_segment(type="STATIC", criteria=None), actor=actor)


def sheet(*rows):
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("file", "name", "kind", "texts"),
    [
        (io.BytesIO(b"a@b.co\n\n1042\n"), "list.csv", "any", {1: "a@b.co", 3: "1042"}),
        (io.BytesIO("Name;E-Mail\nÉlan;e@b.co".encode()), "x.CSV", "email", {2: "e@b.co"}),
        (sheet(["Name", "Member number"], ["Ann", 1042.0]), "x.xlsx", "memberNumber", {2: "1042"}),
    ],
)
def test_files_are_read_by_their_headings_or_their_first_column(file, name, kind, texts):
    read = read_list(file, name)

    assert (read.kind, {line.number: line.text for line in read.lines}) == (kind, texts)


@pytest.mark.parametrize("name", ["broken.xlsx", "broken.csv"])
def test_a_file_that_is_something_else_is_refused(name):
    with pytest.raises(SegmentError):
        read_list(io.BytesIO(b"\xff\xfe\x00 nonsense"), name)


def test_by_api(tenant, other_tenant, key_for, client):
    make_customer(email="ann@example.com")
    segment = make_segment(type="STATIC", criteria=None)
    address = f"/api/v1/segments/{segment.pk}/import/"
    key = key_for(tenant, "segments:write")

    def send(body, key=key):
        return client.post(address, body, content_type="application/json", **key)

    assert send({"identifiers": ["ann@example.com", "who?"]}).json() == {
        "found": 1, "added": 1, "already": 0, "notFound": [{"line": 2, "text": "who?"}],
    }  # fmt: skip
    assert send({"identifiers": []}).status_code == 400
    assert send({"identifiers": ["x"], "kind": "shoe size"}).status_code == 400
    assert send({"identifiers": ["x"]}, key_for(other_tenant, "segments:write")).status_code == 404


def test_staff_fill_a_list_from_a_file_and_see_who_was_not_found(tenant, as_ann, as_ben, as_cleo):
    ann = make_customer(email="ann@example.com")
    segment = make_segment(type="IMPORT", criteria=None)
    address = f"/oakhill/admin/segments/customersegment/{segment.pk}/import/"
    file = SimpleUploadedFile("list.csv", b"email\nann@example.com\nwho@example.com\n")

    page = as_ann.post(address, {"file": file}).content.decode()

    assert members(segment) == {ann.pk}
    assert "1 added" in page
    assert "3\twho@example.com" in page
    assert "one of the two" in as_ann.post(address, {}).content.decode()
    assert as_ben.get(address).status_code == 403
    assert as_cleo.get(address).status_code in (403, 404)
