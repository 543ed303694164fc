"""A file becomes customers: what is read, refused, kept, and taken back."""

import random
from unittest import mock

import pytest
from django.utils import timezone

from crm_site.audit.actor import acting_as
from crm_site.audit.models import CrmAuditLog
from crm_site.jobs.services import cancel_job, recover_jobs
from crm_site.tenancy.context import tenant_scope
from customers.models import (
    CustomerImport,
    CustomerProfile,
    DuplicateCandidate,
    IdentityAlias,
    ImportBatch,
    ImportChange,
)
from customers.services.erased import readmit
from customers.services.erasure import erase_profile
from customers.services.importing import working
from customers.services.importing.errors import ImportFileError
from customers.services.importing.layouts import detect_layout
from customers.services.importing.plans import guess_columns, guess_date_order
from customers.services.importing.requesting import (
    KEEP_FOR,
    ImportError_,
    look_at,
    request_undo,
    same_file_before,
    suggest_plan,
)
from customers.services.profiles import update_profile, upsert_profiles
from customers.services.retention import drop_old_undo_records
from tests.conftest import ACTOR
from tests.customers.importing import (
    counts,
    import_file,
    reasons,
    request,
    run,
    undo,
    upload,
    workbook,
)
from tests.factories import make_activity, make_customer

pytestmark = pytest.mark.usefixtures("tenant", "actor")

PEOPLE = """email,firstName,city
ann@example.org,Ann,Durban
ben@example.org,Ben,Ballito
"""


def test_people_are_made_and_found_again(other_tenant):
    first, second = import_file(PEOPLE), import_file(PEOPLE.replace("Ballito", "Umhlanga"))

    assert (first.status, counts(first)) == ("SUCCESS", (2, 0, 0, 0))
    assert counts(second) == (0, 1, 1, 0)
    assert set(CustomerProfile.objects.values_list("first_name", "city")) == {
        ("Ann", "Durban"),
        ("Ben", "Umhlanga"),
    }
    with tenant_scope(other_tenant.pk):
        assert not CustomerProfile.objects.exists()
        assert not CustomerImport.objects.exists()


def test_an_import_leaves_one_audit_entry_that_names_the_file(tenant):
    job = import_file(PEOPLE)

    entries = CrmAuditLog.objects.filter(entity_id=str(job.pk))
    assert [(e.action, e.performed_by) for e in entries] == [("IMPORT", ACTOR.id)]
    assert entries[0].metadata == {"file": "people.csv", "sha256": job.file_hash, "created": 2}
    assert not CrmAuditLog.objects.filter(entity_type="CustomerProfile").exists()


def test_refused_rows_are_kept_with_their_reasons_and_cannot_run_as_formulas():
    job = import_file(
        "email,firstName,phoneNumber\n"
        "nobody,=1+1,\n"
        "cleo@example.org,Cleo,12\n"
        ",Dan,\n"
        "eve@example.org,Eve\n"
        "fay@example.org,Fay,+27825550101\n"
    )

    assert counts(job) == (1, 0, 0, 4)
    assert reasons(job) == [
        ("2", "email", "This is not an e-mail address."),
        ("3", "phoneNumber", "This is not a phone number."),
        ("4", "", "Give at least one identity key, or first and last name."),
        ("5", "", "2 cells where the header has 3."),
    ]
    text = b"".join(bytes(chunk.data) for chunk in job.refused_file.chunks.order_by("number"))
    assert "'=1+1" in text.decode("utf-8-sig")


def test_somebody_erased_does_not_come_back():
    ben = make_customer(email="ben@example.org", first_name="Ben")
    erase_profile(customer_id=ben.pk, actor=ACTOR)

    job = import_file(PEOPLE)

    assert counts(job) == (1, 0, 0, 1)
    assert reasons(job)[0][:2] == ("3", "email")


def test_whoever_a_row_leads_to_it_brings_no_erased_address_along():
    ben = make_customer(email="ben@example.org", scl_member_id=1042)
    make_customer(email="cleo@example.org", teetime_player_id="P-1", city="Paarl")
    erase_profile(customer_id=ben.pk, actor=ACTOR)
    file = (
        "email,sclMemberId,teetimePlayerId,city\n"
        "BEN@example.org,,P-1,Durban\n"
        "ann@example.org,1042,,Durban\n"
        "cleo@example.org,,,Ballito\n"
    )

    checked, imported = import_file(file, is_check=True), import_file(file)

    assert counts(checked) == counts(imported) == (0, 1, 0, 2)
    assert [row[:2] for row in reasons(imported)] == [("2", "email"), ("3", "sclMemberId")]
    assert [row.city for row in CustomerProfile.objects.live()] == ["Ballito"]


def test_undoing_an_import_neither_brings_back_nor_touches_who_was_erased_since():
    make_customer(email="ann@example.org", city="Paarl")
    job = import_file(PEOPLE, on_conflict="OVERWRITE")
    for email in ("ann@example.org", "ben@example.org"):
        erase_profile(customer_id=CustomerProfile.objects.get(email=email).pk, actor=ACTOR)
    before = list(CustomerProfile.objects.order_by("pk").values())

    undone = undo(job)

    assert undone.status == "SUCCESS"
    assert (undone.removed_count, undone.restored_count) == (0, 0)
    assert list(CustomerProfile.objects.order_by("pk").values()) == before


def test_whoever_was_admitted_again_may_be_imported_as_somebody_new():
    ben = make_customer(email="ben@example.org")
    erase_profile(customer_id=ben.pk, actor=ACTOR)
    readmit(identifiers={"email": "ben@example.org"}, actor=ACTOR)

    assert counts(import_file(PEOPLE)) == (2, 0, 0, 0)
    assert CustomerProfile.objects.get(email="ben@example.org").pk != ben.pk


def test_a_check_counts_and_changes_nothing():
    make_customer(email="ann@example.org", first_name="Ann", city="Paarl")

    job = import_file(PEOPLE + "not an address,X,\n", is_check=True)

    assert (job.status, counts(job)) == ("SUCCESS", (1, 1, 0, 1))
    assert CustomerProfile.objects.get().city == "Paarl"
    assert not CrmAuditLog.objects.filter(action="IMPORT").exists()


def test_a_check_knows_whom_an_earlier_batch_would_have_made(monkeypatch):
    monkeypatch.setattr(working, "BATCH_ROWS", 2)
    rows = PEOPLE + "cleo@example.org,Cleo,\nann@example.org,Ann,Paarl\n"

    check, real = import_file(rows, is_check=True), import_file(rows)

    assert counts(check) == counts(real) == (3, 1, 0, 0)


@pytest.mark.parametrize(
    ("on_conflict", "city", "gender", "expected"),
    [
        ("OVERWRITE", "Durban", "f", (1, 1, 0, 0)),
        ("FILL", "Paarl", "f", (1, 1, 0, 0)),
        ("KEEP", "Paarl", None, (1, 0, 1, 0)),
    ],
)
def test_whose_word_counts_is_chosen(on_conflict, city, gender, expected):
    ann = make_customer(email="ann@example.org", first_name="Ann", city="Paarl", gender=None)

    rows = "email,city,gender\nann@example.org,Durban,f\nben@example.org,Durban,\n"
    job = import_file(rows, on_conflict=on_conflict)

    ann.refresh_from_db()
    assert (ann.city, ann.gender) == (city, gender)
    assert counts(job) == expected


def test_filling_blanks_never_moves_an_address_aside():
    ann = make_customer(email="ann@example.org", scl_member_id=7, phone_number=None)

    import_file("sclMemberId,email,phoneNumber\n7,new@example.org,0825550101\n", on_conflict="FILL")

    ann.refresh_from_db()
    assert (ann.email, ann.phone_number) == ("ann@example.org", "+27825550101")
    assert not IdentityAlias.objects.exists()


def test_every_row_may_be_given_a_value_and_a_tag():
    ann = make_customer(email="ann@example.org", tags=["vip"])

    import_file(PEOPLE, constants={"country": "za"}, add_tags=("open-day", "vip"))

    ann.refresh_from_db()
    assert (ann.tags, ann.country) == (["vip", "open-day"], "ZA")
    assert CustomerProfile.objects.get(first_name="Ben").tags == ["open-day", "vip"]


def test_a_column_may_be_left_out_and_dates_written_as_people_do():
    job = import_file(
        "Mail,Shoe size,Born\nann@example.org,7,31/03/1980\nben@example.org,8,03-04-1981\n",
        columns=["email", None, "dateOfBirth"],
        date_order="DMY",
    )

    assert counts(job) == (2, 0, 0, 0)
    days = CustomerProfile.objects.order_by("email").values_list("date_of_birth", flat=True)
    assert [str(day) for day in days] == ["1980-03-31", "1981-04-03"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("email;city\nzoë@example.org;Köln\n".encode("cp1252"), ("cp1252", ";", False)),
        ("email\tcity\na@b.co\tKöln\n".encode("utf-16"), ("utf-16", "\t", True)),
        ("email\tcity\na@b.co\tDurban\n".encode("utf-16-le"), ("utf-16-le", "\t", False)),
        ("\ufeffemail,city\na@b.co,Köln\n".encode(), ("utf-8", ",", True)),
        (b"email|city\na@b.co|Durban\n", ("utf-8", "|", False)),
        (b"email\na@b.co\n", ("utf-8", ",", False)),
        (b'name;city\n"Lee, Ann";Durban\n"Moyo, Ben";Paarl\n', ("utf-8", ";", False)),
    ],
)
def test_how_a_file_is_written_is_seen(data, expected):
    layout = detect_layout([data[:7], data[7:]])

    assert (layout.encoding, layout.delimiter, layout.has_bom) == expected
    assert look_at(upload(data)).header[0] in {"email", "name"}


def test_latin_letters_come_in_whole():
    data = "email;city\nann@example.org;Köln\n".encode("cp1252")

    import_file(data)

    assert CustomerProfile.objects.get().city == "Köln"


def test_a_workbook_is_read_like_a_file():
    from datetime import datetime

    data = workbook(
        ("email", "sclMemberId", "dateOfBirth", "firstName"),
        ("ann@example.org", 1042.0, datetime(1980, 2, 29), "=1+1"),  # noqa: DTZ001 - as Excel has it
        (None, None, None, None),
        ("ben@example.org", None, None, "Ben"),
    )

    job = import_file(data, name="people.xlsx")

    assert counts(job) == (2, 0, 0, 0)
    ann = CustomerProfile.objects.get(email="ann@example.org")
    assert (ann.scl_member_id, str(ann.date_of_birth)) == (1042, "1980-02-29")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"PK\x03\x04 not a zip", "unpacked"),
        ((",".join(f"c{n}" for n in range(1000)) + "\n").encode(), "1,000 columns"),
        (b"\x7fELF" + b"\0" * 200 + bytes(range(128, 256)) * 2, "neither a CSV"),
    ],
)
def test_what_cannot_be_a_list_of_people_is_refused(data, reason):
    with pytest.raises(ImportFileError, match=reason):
        look_at(upload(data))


def test_a_workbook_that_would_swell_is_refused():
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        archive.writestr("xl/sharedStrings.xml", b"0" * (201 * 1024**2))

    assert len(out.getvalue()) < 1024**2
    with pytest.raises(ImportFileError, match="unpack to more"):
        look_at(upload(out.getvalue(), "bomb.xlsx"))


def test_a_file_over_the_limit_is_refused_and_not_kept(settings):
    from crm_site.files.models import StoredFile

    settings.UPLOAD_MAX_BYTES = 1024**2

    with pytest.raises(ImportFileError, match="at most 1 MB"):
        upload(b"x" * (1024**2 + 1))

    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("columns", "plan", "reason"),
    [
        (["email", "shoeSize", None], {}, "shoeSize"),
        (["email", "email", None], {}, "twice"),
        (["email", None], {}, "3 columns"),
        ([None, None, None], {}, "at least one"),
        (["email", None, None], {"constants": {"email": "x"}}, "column and"),
        (["email", None, None], {"on_conflict": "WIN"}, "OVERWRITE"),
    ],
)
def test_a_mapping_nobody_could_mean_is_refused(columns, plan, reason):
    with pytest.raises(ImportFileError, match=reason):
        request(PEOPLE, columns=columns, **plan)

    assert not CustomerImport.objects.exists()


def test_a_header_alone_is_no_list():
    job = import_file("email,city\n")

    assert job.status == "FAILED"
    assert "nothing below it" in job.error


def test_rows_with_zero_bytes_are_refused_one_by_one():
    job = import_file(b"email,city\nann@example.org,Dur\0ban\nben@example.org,Paarl\n")

    assert counts(job) == (1, 0, 0, 1)


def test_columns_are_guessed_by_name_and_by_what_is_in_them():
    header = ["Surname", "Cell no.", "Contact", "Joined", "Shoe size", "E-mail"]
    rows = [["Lee", "082", "ann@example.org", "31/03/2020", "7", "x"]] * 3

    columns = guess_columns(header, rows)

    assert columns == ["lastName", None, "email", "memberSince", None, None] or columns == [
        "lastName", None, None, "memberSince", None, "email",
    ]  # fmt: skip
    assert guess_date_order(columns, rows) == "DMY"


def test_a_mapping_is_remembered_for_files_with_the_same_header():
    import_file(
        "Mail,Town\nann@example.org,Durban\n", columns=["email", "city"], on_conflict="FILL"
    )

    plan, last = suggest_plan(look_at(upload("Mail,Town\nben@example.org,Paarl\n")))

    assert last is not None
    assert (plan.columns, plan.on_conflict) == (("email", "city"), "FILL")


def test_the_same_file_twice_is_noticed_until_it_is_undone():
    job = import_file(PEOPLE)

    assert same_file_before(upload(PEOPLE)) == job
    undo(job)
    assert same_file_before(upload(PEOPLE)) is None


def test_undoing_takes_out_whom_it_made_and_puts_back_what_it_changed():
    ann = make_customer(email="ann@example.org", first_name="Ann", city="Paarl")
    job = import_file(PEOPLE)

    undone = undo(job)

    assert (undone.removed_count, undone.restored_count, undone.left_count) == (1, 1, 0)
    ann.refresh_from_db()
    assert ann.city == "Paarl"
    assert list(CustomerProfile.objects.live()) == [ann]
    assert CrmAuditLog.objects.filter(action="UNDO_IMPORT", entity_id=str(job.pk)).count() == 1


def test_undoing_leaves_what_was_changed_since_and_says_so():
    ann = make_customer(email="ann@example.org", first_name="Ann", city="Paarl")
    job = import_file(PEOPLE + "cleo@example.org,Cleo,George\n")
    ben = CustomerProfile.objects.get(first_name="Ben")
    cleo = CustomerProfile.objects.get(first_name="Cleo")
    update_profile(customer_id=ann.pk, values={"city": "Wellington"}, actor=ACTOR)
    update_profile(customer_id=ben.pk, values={"city": "Wellington"}, actor=ACTOR)
    make_activity(customer=cleo)

    undone = undo(job)

    assert (undone.removed_count, undone.restored_count, undone.left_count) == (0, 0, 3)
    ann.refresh_from_db()
    assert ann.city == "Wellington"
    assert CustomerProfile.objects.live().count() == 3


def test_undoing_gives_an_address_back_unless_somebody_has_it_now():
    ann = make_customer(email="old@example.org", scl_member_id=7, first_name="Ann")
    job = import_file("sclMemberId,email\n7,new@example.org\n")
    IdentityAlias.objects.all().delete()
    make_customer(email="old@example.org")

    assert undo(job).left_count == 1

    ann.refresh_from_db()
    assert ann.email == "new@example.org"


def test_undoing_takes_away_the_aliases_that_the_import_made(other_tenant):
    ann = make_customer(email="old@example.org", scl_member_id=7, first_name="Ann")
    IdentityAlias.objects.create(customer=ann, type="EMAIL", value="told@example.org", source="crm")
    job = import_file("sclMemberId,email\n7,new@example.org\n7,newer@example.org\n")
    assert IdentityAlias.objects.count() == 3

    assert undo(job).restored_count == 1

    ann.refresh_from_db()
    assert ann.email == "old@example.org"
    assert [alias.value for alias in IdentityAlias.objects.all()] == ["told@example.org"]


def test_undoing_keeps_an_alias_that_is_no_address_again():
    ann = make_customer(email="old@example.org", scl_member_id=7, first_name="Ann")
    job = import_file("sclMemberId,email\n7,new@example.org\n")
    update_profile(customer_id=ann.pk, values={"email": "third@example.org"}, actor=ACTOR)

    assert undo(job).left_count == 1

    kept = set(IdentityAlias.objects.values_list("value", flat=True))
    assert kept == {"old@example.org", "new@example.org"}


def test_what_undoing_needs_goes_with_the_chance_to_undo(other_tenant):
    make_customer(email="ann@example.org", first_name="Ann", city="Paarl")
    old, new = import_file(PEOPLE), import_file(PEOPLE.replace("Ballito", "George"))
    now = timezone.now()
    CustomerImport.objects.filter(pk=old.pk).update(requested_at=now - KEEP_FOR * 1.01)
    with tenant_scope(other_tenant.pk):
        import_file(PEOPLE)

    assert drop_old_undo_records(now=now) == 2
    assert drop_old_undo_records(now=now) == 0

    assert set(ImportBatch.objects.values_list("job", flat=True)) == {new.pk}
    assert set(ImportChange.objects.values_list("job", flat=True)) == {new.pk}
    with tenant_scope(other_tenant.pk):
        assert ImportBatch.objects.count() == 1


def test_what_is_being_undone_right_now_stays_for_it():
    job, now = import_file(PEOPLE), timezone.now()
    request_undo(job=job, actor=ACTOR, now=now)

    assert drop_old_undo_records(now=now + KEEP_FOR * 1.01) == 0


def test_somebody_made_and_then_changed_by_the_same_import_goes(monkeypatch):
    monkeypatch.setattr(working, "BATCH_ROWS", 2)
    job = import_file(PEOPLE + "ann@example.org,Ann,George\n")

    undone = undo(job)

    assert (undone.removed_count, undone.left_count) == (2, 0)
    assert not CustomerProfile.objects.live().exists()


def test_only_an_import_that_changed_something_is_undone_and_once():
    job, check = import_file(PEOPLE), import_file(PEOPLE, is_check=True)
    idle = import_file(PEOPLE)
    undo(job)

    for other in (job, check, idle):
        with pytest.raises(ImportError_):
            request_undo(job=other, actor=ACTOR, now=timezone.now())


def test_what_was_done_before_it_was_cancelled_stays_and_can_be_undone(monkeypatch):
    monkeypatch.setattr(working, "BATCH_ROWS", 1)
    job, write = request(PEOPLE), working.write_batch

    def write_and_cancel(*args, **kwargs):
        cancel_job(CustomerImport, job.pk)
        return write(*args, **kwargs)

    with mock.patch.object(working, "write_batch", write_and_cancel):
        ended = run(job)

    assert (ended.status, counts(ended)) == ("CANCELLED", (1, 0, 0, 0))
    assert CrmAuditLog.objects.filter(action="IMPORT").count() == 1
    assert undo(ended).removed_count == 1


def test_an_import_whose_worker_died_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(working, "BATCH_ROWS", 1)
    job, write, calls = request(PEOPLE + "bad,,\n"), working.write_batch, []

    def write_and_die(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(*args, **kwargs)

    with mock.patch.object(working, "write_batch", write_and_die):
        with pytest.raises(KeyboardInterrupt):
            run(job)
        recover_jobs(CustomerImport, now=timezone.now() + timezone.timedelta(hours=1))
        ended = run(job)

    assert (ended.status, counts(ended), ended.attempt_count) == ("SUCCESS", (2, 0, 0, 1), 2)


def test_the_same_rows_by_import_and_by_the_api_make_the_same_people(other_tenant):
    """One definition of who is who: random rows that share addresses, numbers and names."""
    dice = random.Random(3)

    def row():
        return {
            "email": dice.choice(["", "A@x.co", "b@x.co", "c@x.co", "d@x.co"]),
            "phoneNumber": dice.choice(["", "0825550101", "+27 82 555 0102", "0825550103"]),
            "sclMemberId": dice.choice(["", "", "7", "8"]),
            "firstName": dice.choice(["", "Ann", "Anna", "Ben", "Thandi"]),
            "lastName": dice.choice(["", "Lee", "Moyo"]),
            "city": dice.choice(["", "Durban", "Paarl"]),
        }

    rows = [row() for _ in range(120)]
    header = list(rows[0])
    text = "\n".join([",".join(header), *(",".join(r.values()) for r in rows)]) + "\n"

    job = import_file(text)
    with tenant_scope(other_tenant.pk), acting_as(ACTOR):
        results = upsert_profiles([{k: v for k, v in r.items() if v} for r in rows], actor=ACTOR)
        theirs = _picture()

    statuses = [result.status for result in results if any(rows[result.index].values())]
    assert _picture() == theirs
    assert counts(job)[:3] == tuple(
        statuses.count(status) for status in ("created", "updated", "unchanged")
    )
    assert DuplicateCandidate.objects.exists()


def _picture():
    people = CustomerProfile.objects.values_list(
        "email", "phone_number", "scl_member_id", "first_name", "last_name", "city"
    )
    aliases = IdentityAlias.objects.values_list("type", "value")
    pairs = DuplicateCandidate.objects.values_list("match_type", "match_score")
    return [sorted(map(str, rows)) for rows in (people, aliases, pairs)]


def test_what_is_kept_for_undoing_belongs_to_its_tenant(other_tenant):
    make_customer(email="ann@example.org", city="Paarl")
    import_file(PEOPLE)

    assert ImportChange.objects.count() == 1
    with tenant_scope(other_tenant.pk):
        assert ImportChange.objects.count() == 0
