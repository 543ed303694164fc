"""Notes that staff, or their programs, write about customers."""

from typing import Any

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from customers.models import CustomerNote, CustomerProfile

WRITABLE = ("type", "content", "is_pinned", "is_private")


class NoteError(DomainError):
    """A note cannot be written like this."""


def write_note(*, customer: CustomerProfile, actor: Actor, **values: Any) -> CustomerNote:
    """Add a note; ``values`` by the names in WRITABLE. Raises NoteError for a customer gone."""
    if not customer.is_live:
        raise NoteError(
            "This customer was merged or deleted.", path="customer_id", code="customer_gone"
        )
    return CustomerNote.objects.create(customer=customer, created_by=actor.id, **values)


def change_note(*, note: CustomerNote, actor: Actor, **values: Any) -> CustomerNote:
    """Change a note that ``actor`` can see. Only its author may make it private.

    Raises NoteError otherwise: anybody else would hide it from themselves and everyone.
    """
    if values.get("is_private") and note.created_by != actor.id:
        raise NoteError(
            "Only its author can make a note private.", path="is_private", code="not_author"
        )
    for name, value in values.items():
        setattr(note, name, value)
    note.updated_by = actor.id
    note.save()
    return note
