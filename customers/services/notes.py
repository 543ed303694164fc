"""What staff write about a customer. A private note is its author's alone."""

from typing import Any
from uuid import UUID

from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError
from customers.choices import NoteType
from customers.models import CustomerNote, CustomerProfile

CHANGEABLE = {"type", "content", "is_pinned", "is_private"}


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
) -> CustomerNote:
    """Write a note on a live customer. Raises NoteError for an empty one or nobody's."""
    if not CustomerProfile.objects.live().filter(pk=customer_id).exists():
        raise NoteError("There is no such customer.", path="customer_id", code=NOT_FOUND)
    return CustomerNote.objects.create(
        customer_id=customer_id,
        type=type,
        content=_checked(content),
        is_pinned=is_pinned,
        is_private=is_private,
        created_by=actor.id,
    )


@transaction.atomic
def change_note(*, note_id: UUID, actor: Actor, **values: Any) -> CustomerNote:
    """Change content, type, pin or privacy of a note the actor may see.

    Only its author makes a note private, or others' eyes would lose what they have read.
    """
    note = _visible_note(note_id, actor)
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise NoteError("This field cannot be written.", path=min(unknown), code="read_only")
    if values.get("is_private", note.is_private) != note.is_private and note.created_by != actor.id:
        raise NoteError("Only its author hides a note.", path="is_private", code="not_author")
    if "content" in values:
        values["content"] = _checked(values["content"])
    for name, value in values.items():
        setattr(note, name, value)
    note.updated_by = actor.id
    note.save(update_fields=[*values, "updated_by", "updated_at"])
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
