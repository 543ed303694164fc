"""Customers made and changed by staff, integrators and imports."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_site.audit.actor import Actor
from crm_site.audit.models import CrmAuditLog
from crm_site.errors import DomainError
from crm_site.tenancy.context import tenant_scope
from customers.choices import CustomerStatus
from customers.models import CustomerProfile, IdentityAlias
from customers.services.facts import FactError
from customers.services.notes import NoteError, add_note, change_note, delete_note
from customers.services.profiles import (
    ProfileError,
    create_profile,
    delete_profile,
    restore_profile,
    update_profile,
    upsert_profiles,
)
from tests.factories import make_customer


def test_a_batch_says_what_became_of_each_item(tenant, actor):
    held = make_customer(email="ann@example.org", city="Durban")

    results = upsert_profiles(
        [
            {"email": " Ann@Example.org", "city": "Durban"},
            {"email": "ann@example.org", "city": "Kloof"},
            {"email": "new@example.org", "firstName": "Ben"},
            {"email": "nobody", "phoneNumber": "12", "emailOptIn": True, "shoeSize": 9},
            {"city": "Durban"},
            {"firstName": "Cleo", "lastName": "Nkosi"},
            {"firstName": "Cleo", "lastName": "Nkosi"},
            "ann",
        ],
        actor=actor,
    )

    assert [item.status for item in results] == [
        *("unchanged", "updated", "created", "rejected", "rejected", "created", "created"),
        "rejected",
    ]
    assert [item.index for item in results] == list(range(8))
    assert results[0].id == results[1].id == held.pk
    assert results[5].id != results[6].id
    faults = {(fault.path, fault.code) for fault in results[3].errors}
    assert faults == {
        ("email", "invalid"),
        ("phoneNumber", "invalid"),
        ("emailOptIn", "read_only"),
        ("shoeSize", "unknown_field"),
    }
    assert CustomerProfile.objects.count() == 4


def test_a_batch_of_1000_costs_as_many_statements_as_one_of_100(tenant, actor):
    counts = []
    for size in (100, 1_000):
        items = [{"email": f"{size}-{n}@example.com", "firstName": "P"} for n in range(size)]
        upsert_profiles(items, actor=actor)
        with CaptureQueriesContext(connection) as queries:
            results = upsert_profiles([item | {"city": "X"} for item in items], actor=actor)
        assert {item.status for item in results} == {"updated"}
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 10


def test_an_address_that_staff_replace_still_leads_to_the_customer(tenant, actor):
    ann = create_profile(values={"email": "Ann@Old.example", "first_name": "Ann"}, actor=actor)

    changed = update_profile(
        customer_id=ann.pk, values={"email": "ann@new.example", "phone_number": ""}, actor=actor
    )

    assert (changed.email, changed.updated_by) == ("ann@new.example", actor.id)
    assert IdentityAlias.objects.get(customer=ann).value == "ann@old.example"


def test_an_identifier_of_somebody_else_is_refused_by_name(tenant, actor):
    make_customer(first_name="Ben", last_name="Nel", email="ben@example.org")
    ann = make_customer()

    for write in (
        lambda: create_profile(values={"email": "BEN@example.org"}, actor=actor),
        lambda: update_profile(
            customer_id=ann.pk, values={"email": "ben@example.org"}, actor=actor
        ),
    ):
        with pytest.raises(ProfileError, match="Ben Nel") as refusal:
            write()
        assert (refusal.value.path, refusal.value.code) == ("email", "already_exists")


def test_a_phone_that_is_none_is_refused(tenant, actor):
    with pytest.raises(FactError, match="phoneNumber"):
        create_profile(values={"first_name": "Ann", "phone_number": "12"}, actor=actor)


def test_a_customer_of_another_tenant_is_out_of_reach(tenant, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()

    with pytest.raises(ProfileError):
        update_profile(customer_id=stranger.pk, values={"city": "x"}, actor=actor)
    delete_profile(customer_id=stranger.pk, actor=actor)

    with tenant_scope(other_tenant.pk):
        stranger.refresh_from_db()
        assert (stranger.city, stranger.deleted_at) == (None, None)


def test_a_deleted_customer_comes_back_unless_the_address_is_taken(tenant, actor):
    ann = make_customer(email="ann@example.org")
    delete_profile(customer_id=ann.pk, actor=actor)
    ann.refresh_from_db()
    assert (ann.status, ann.is_live) == (CustomerStatus.DELETED, False)

    other = make_customer(email="ann@example.org")
    with pytest.raises(ProfileError, match="already"):
        restore_profile(customer_id=ann.pk, actor=actor)

    delete_profile(customer_id=other.pk, actor=actor)
    assert restore_profile(customer_id=ann.pk, actor=actor).status == CustomerStatus.ACTIVE


def test_a_private_note_is_its_authors_alone(tenant, other_tenant, actor):
    ann, colleague = make_customer(), Actor("user:colleague")
    note = add_note(customer_id=ann.pk, content=" Likes tea ", actor=actor, is_private=True)
    assert note.content == "Likes tea"

    for act in (change_note, delete_note):
        with pytest.raises(NoteError):
            act(note_id=note.pk, actor=colleague)
    shared = change_note(note_id=note.pk, actor=actor, is_private=False, is_pinned=True)
    assert (shared.is_pinned, shared.updated_by) == (True, actor.id)
    with pytest.raises(NoteError, match="author"):
        change_note(note_id=note.pk, actor=colleague, is_private=True)
    with pytest.raises(NoteError, match="words"):
        add_note(customer_id=ann.pk, content="  ", actor=actor)
    with tenant_scope(other_tenant.pk), pytest.raises(DomainError):
        add_note(customer_id=ann.pk, content="x", actor=actor)


CSV = """\ufeffemail,firstName,phoneNumber,sclMemberId,tags
ann@example.org,Ann,082 555 0101,1042,vip;golf
not an address,Ben,,,
cleo@example.org,Cleo,12,,
dan@example.org,Dan,,,,
"""


@pytest.fixture
def run_import(tenant, tmp_path):
    def run(text, *options):
        path, out, err = tmp_path / "people.csv", io.StringIO(), io.StringIO()
        path.write_text(text, encoding="utf-8")
        with tenant_scope(""):
            call_command("import_customers", tenant.pk, str(path), *options, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return run


def test_an_import_keeps_the_good_rows_and_says_what_is_wrong_with_the_others(run_import):
    told, refused = run_import(CSV)

    assert "1 created, 0 updated, 0 unchanged, 3 rejected" in told
    assert refused.splitlines() == [
        "line 3, email: This is not an e-mail address.",
        "line 4, phoneNumber: This is not a phone number.",
        "line 5: 6 cells where the header has 5.",
    ]
    ann = CustomerProfile.objects.get()
    assert (ann.phone_number, ann.scl_member_id, ann.tags) == (
        "+27825550101",
        1042,
        ["vip", "golf"],
    )
    entry = CrmAuditLog.objects.exclude(entity_type="CustomerSegment").get(action="IMPORT")
    assert {key: entry.metadata[key] for key in ("created", "refused", "file")} == {
        "created": 1,
        "refused": 3,
        "file": "people.csv",
    }
    assert not CrmAuditLog.objects.filter(entity_type="CustomerProfile").exists()

    assert "1 unchanged" in run_import(CSV)[0]


def test_a_dry_run_keeps_nothing(run_import):
    told, _ = run_import(CSV, "--dry-run")

    assert "1 created" in told
    assert "dry run" in told
    assert CustomerProfile.objects.count() == 0
    assert not CrmAuditLog.objects.filter(action="IMPORT").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("email,shoeSize\n", "shoeSize"),
        ("email,email\n", "twice"),
        ("emailOptIn\n", "emailOptIn"),
    ],
)
def test_a_file_nobody_could_mean_is_refused_whole(run_import, text, reason):
    with pytest.raises(CommandError, match=reason):
        run_import(text)
