"""What staff write about a customer. A private note is its author's alone."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError
from customers.choices import NoteType
from customers.models import CustomerNote, CustomerProfile

CHANGEABLE = {"type", "content", "is_pinned", "is_private", "follow_up_on"}
# A change of these is worth remembering what was there before.
REMEMBERED = ("type", "content")


class NoteError(DomainError):
    """A note cannot be written or changed like this."""


@transaction.atomic
def add_note(
    *,
    customer_id: UUID,
    content: str,
    actor: Actor,
    type: str = NoteType.GENERAL,
    is_pinned: bool = False,
    is_private: bool = False,
    follow_up_on: date | None = None,
) -> CustomerNote:
    """Write a note on a live customer. Raises NoteError for an empty one or nobody's.

    ``follow_up_on`` puts it on its author's home page from that day on, until it is done.
    """
    if not CustomerProfile.objects.live().filter(pk=customer_id).exists():
        raise NoteError("There is no such customer.", path="customer_id", code=NOT_FOUND)
    return CustomerNote.objects.create(
        customer_id=customer_id,
        type=type,
        content=_checked(content),
        is_pinned=is_pinned,
        is_private=is_private,
        follow_up_on=follow_up_on,
        created_by=actor.id,
    )


@transaction.atomic
def change_note(*, note_id: UUID, actor: Actor, **values: Any) -> CustomerNote:
    """Change content, type, pin, privacy or follow-up day of a note the actor may see.

    What it said before is kept. Only its author makes a note private, or others' eyes would lose
    what they have read. A new follow-up day is open again.
    """
    note = _visible_note(note_id, actor)
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise NoteError("This field cannot be written.", path=min(unknown), code="read_only")
    if values.get("is_private", note.is_private) != note.is_private and note.created_by != actor.id:
        raise NoteError("Only its author hides a note.", path="is_private", code="not_author")
    if "content" in values:
        values["content"] = _checked(values["content"])
    if any(values.get(name, getattr(note, name)) != getattr(note, name) for name in REMEMBERED):
        note.revisions.create(type=note.type, content=note.content, replaced_by=actor.id)
    if values.get("follow_up_on", note.follow_up_on) != note.follow_up_on:
        values["done_at"] = None
    for name, value in values.items():
        setattr(note, name, value)
    note.updated_by = actor.id
    note.save(update_fields=[*values, "updated_by", "updated_at"])
    return note


@transaction.atomic
def finish_follow_up(*, note_id: UUID, actor: Actor, is_done: bool = True) -> CustomerNote:
    """Say that what a note promised is done, or that it is not after all.

    Raises NoteError for a note that promised nothing.
    """
    note = _visible_note(note_id, actor)
    if note.follow_up_on is None:
        raise NoteError("This note has no follow-up day.", path="follow_up_on", code="required")
    if is_done == (note.done_at is not None):
        return note
    note.done_at = timezone.now() if is_done else None
    note.save(update_fields=["done_at", "updated_at"])
    return note


@transaction.atomic
def delete_note(*, note_id: UUID, actor: Actor) -> None:
    """Remove a note the actor may see; the audit log remembers that it was there."""
    _visible_note(note_id, actor).delete()


def _visible_note(note_id: UUID, actor: Actor) -> CustomerNote:
    note = CustomerNote.objects.visible_to(actor.id).select_for_update().filter(pk=note_id).first()
    if note is None:
        raise NoteError("There is no such note.", code=NOT_FOUND)
    return note


def _checked(content: str) -> str:
    text = content.strip()
    if not text:
        raise NoteError("A note needs words.", path="content", code="required")
    if len(text) > 10_000:
        raise NoteError("At most 10,000 characters.", path="content", code="too_long")
    return text
