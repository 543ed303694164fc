"""Notes: what they said before, what they promise, and who may never read a private one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerNote, NoteRevision
from customers.services.notes import NoteError, add_note, change_note, finish_follow_up
from tests.conftest import ACTOR
from tests.factories import make_customer, make_note

LIST = "/oakhill/admin/customers/customerprofile/"


@pytest.fixture
def zoe(tenant):
    return make_customer(first_name="Zoë", last_name="Smyth")


def test_changed_words_are_kept_and_a_pin_is_no_change_of_words(zoe, actor):
    note = add_note(customer_id=zoe.pk, content="Likes tea.", actor=actor)

    change_note(note_id=note.pk, actor=actor, is_pinned=True, content="Likes tea. ")
    change_note(note_id=note.pk, actor=actor, content="Likes coffee.", type="FEEDBACK")

    (revision,) = NoteRevision.objects.all()
    assert (revision.content, revision.type) == ("Likes tea.", "GENERAL")
    assert revision.replaced_by == ACTOR.id


def test_a_new_follow_up_day_is_open_again(zoe, actor):
    today = timezone.localdate()
    note = add_note(customer_id=zoe.pk, content="Call.", follow_up_on=today, actor=actor)
    assert finish_follow_up(note_id=note.pk, actor=actor).done_at is not None

    changed = change_note(note_id=note.pk, actor=actor, follow_up_on=today + timedelta(days=9))

    assert changed.done_at is None
    assert finish_follow_up(note_id=note.pk, actor=actor, is_done=False).done_at is None


def test_what_promised_nothing_cannot_be_done(zoe, actor):
    note = add_note(customer_id=zoe.pk, content="Likes tea.", actor=actor)

    with pytest.raises(NoteError):
        finish_follow_up(note_id=note.pk, actor=actor)


def test_the_words_of_a_private_note_are_in_no_audit_row(as_ben, as_ann, zoe, ann):
    author = f"user:{ann.pk}"
    as_ann.post(
        f"{LIST}{zoe.pk}/notes/", {"content": "Divorce.", "type": "GENERAL", "is_private": "on"}
    )
    note = CustomerNote.objects.get()
    as_ann.post(
        f"{LIST}{zoe.pk}/notes/{note.pk}/",
        {"do": "save", "content": "Divorced.", "type": "SUPPORT", "is_private": "on"},
    )

    rows = CrmAuditLog.objects.filter(entity_type__in=["CustomerNote", "NoteRevision"])
    assert {row.performed_by for row in rows} == {author}
    assert not [row for row in rows if "ivorce" in f"{row.changes} {row.metadata}"]
    history = f"{LIST}{zoe.pk}/notes/{note.pk}/history/"
    assert "Divorce." in as_ann.get(history).content.decode()
    assert as_ben.get(history).status_code == 404


def test_follow_ups_wait_on_their_authors_home_page_until_done(
    as_ann, as_ben, ann, ben, zoe, other_tenant
):
    today = timezone.localdate()
    mine = make_note(zoe, content="Call about Sunday.", created_by=f"user:{ann.pk}",
                     follow_up_on=today - timedelta(days=2))  # fmt: skip
    make_note(zoe, content="Wants a locker.", created_by=f"user:{ben.pk}", follow_up_on=today)
    make_note(zoe, content="Far off.", created_by=f"user:{ann.pk}",
              follow_up_on=today + timedelta(days=60))  # fmt: skip
    with tenant_scope(other_tenant.pk):
        make_note(make_customer(), content="Elsewhere.", created_by=f"user:{ann.pk}",
                  follow_up_on=today)  # fmt: skip

    home = as_ann.get("/oakhill/admin/").content.decode()
    assert "Call about Sunday." in home
    assert not [words for words in ("a locker", "Far off.", "Elsewhere.") if words in home]
    assert "Call about" not in as_ben.get("/oakhill/admin/").content.decode()

    as_ann.post(f"{LIST}{zoe.pk}/notes/{mine.pk}/", {"do": "done"})

    assert "Call about" not in as_ann.get("/oakhill/admin/").content.decode()


def test_a_follow_up_goes_over_the_api(client, key_for, tenant, zoe):
    headers = key_for(tenant, "customers:read", "customers:write")
    url = "/api/v1/notes/"
    body = {"customerId": str(zoe.pk), "content": "Call.", "followUpOn": "2026-12-01"}

    made = client.post(url, body, content_type="application/json", **headers).json()
    done = client.post(f"{url}{made['id']}/finish/", **headers).json()
    refused = client.patch(
        f"{url}{made['id']}/", {"doneAt": "2026-12-01T00:00:00Z"},
        content_type="application/json", **headers,
    )  # fmt: skip

    assert (made["followUpOn"], made["doneAt"]) == ("2026-12-01", None)
    assert done["doneAt"] is not None
    assert client.post(f"{url}{made['id']}/reopen/", **headers).json()["doneAt"] is None
    assert refused.status_code == 400
    assert client.get(f"{url}?followUpOn__lte=2026-12-01&doneAt__isnull=true", **headers).json()[
        "results"
    ]
