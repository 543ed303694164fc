"""Notes at the side of the customer page: read, written and pinned without leaving it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.people import names_of
from crm_site.backoffice.widgets import Checkbox, Select, Textarea
from crm_site.errors import DomainError
from customers.choices import NoteType
from customers.models import CustomerNote, CustomerProfile
from customers.services.notes import add_note, change_note, delete_note, finish_follow_up

SHOWN = 50


class NoteForm(forms.ModelForm):
    class Meta:
        model = CustomerNote
        fields = ("content", "type", "follow_up_on", "is_pinned", "is_private")
        widgets = {
            "content": Textarea(
                attrs={"rows": 3, "placeholder": "What should the next person know?"}
            ),
            "type": Select(choices=NoteType.choices),
            # The browser's own: the theme's calendar does not start in a panel that is swapped in.
            "follow_up_on": forms.DateInput(
                format="%Y-%m-%d", attrs={"type": "date", "class": "crm-select"}
            ),
            "is_pinned": Checkbox(),
            "is_private": Checkbox(),
        }
        labels = {
            "content": "Note",
            "follow_up_on": "Remind me on",
            "is_pinned": "Keep on top",
            "is_private": "Only for me",
        }


def notes_of(
    request: HttpRequest,
    customer: CustomerProfile,
    form: NoteForm | None = None,
    editing: CustomerNote | None = None,
) -> dict[str, Any]:
    """The notes this user may read, pinned first, and the form to add or change one."""
    viewer = Actor.from_request(request)
    rows = list(
        CustomerNote.objects.visible_to(viewer.id)
        .filter(customer=customer)
        .annotate(revision_count=Count("revisions"))
        .order_by("-is_pinned", "-created_at")[: SHOWN + 1]
    )
    today = timezone.localdate()
    authors = names_of(note.created_by for note in rows)
    can_remove = request.user.has_perm("customers.delete_customernote")
    can_change = request.user.has_perm("customers.change_customernote")
    for note in rows:
        is_mine = note.created_by == viewer.id
        note.author = authors[note.created_by]
        note.when = ago(note.created_at)
        note.may_remove = can_remove or (is_mine and can_change)
        note.is_due = bool(note.follow_up_on and not note.done_at and note.follow_up_on <= today)
    return {
        "customer": customer,
        "notes": rows[:SHOWN],
        "has_more_notes": len(rows) > SHOWN,
        "editing": editing,
        "note_form": form or NoteForm(instance=editing, auto_id="note_%s"),
        "may_add_note": customer.is_live and request.user.has_perm("customers.add_customernote"),
        "may_change_note": can_change,
    }


def add_from_page(request: HttpRequest, customer: CustomerProfile) -> HttpResponse:
    """POST: one more note."""
    if not request.user.has_perm("customers.add_customernote"):
        raise PermissionDenied
    form = NoteForm(request.POST, auto_id="note_%s")
    if form.is_valid():
        try:
            actor = Actor.from_request(request)
            add_note(customer_id=customer.pk, actor=actor, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.message)
    return _panel(request, customer, None if form.is_valid() else form)


def change_from_page(
    request: HttpRequest, customer: CustomerProfile, note_id: object
) -> HttpResponse:
    """GET: the panel with this note in the form. POST: ``do`` is save, pin, unpin, done, undone
    or remove."""
    if not request.user.has_perm("customers.change_customernote"):
        raise PermissionDenied
    actor = Actor.from_request(request)
    note = _visible_note(request, customer, note_id)
    if request.method != "POST":
        return _panel(request, customer, editing=note)
    do = request.POST.get("do")
    if do == "remove":
        if note.created_by != actor.id and not request.user.has_perm(
            "customers.delete_customernote"
        ):
            raise PermissionDenied
        delete_note(note_id=note.pk, actor=actor)
    elif do in ("pin", "unpin"):
        change_note(note_id=note.pk, actor=actor, is_pinned=do == "pin")
    elif do in ("done", "undone") and note.follow_up_on:
        finish_follow_up(note_id=note.pk, actor=actor, is_done=do == "done")
    else:
        form = NoteForm(request.POST, instance=note, auto_id="note_%s")
        if not _saved(form, note, actor):
            return _panel(request, customer, form, editing=note)
    return _panel(request, customer)


def history_of(request: HttpRequest, customer: CustomerProfile, note_id: object) -> HttpResponse:
    """What a note said before, latest first, for whoever may read the note itself."""
    note = _visible_note(request, customer, note_id)
    revisions = list(note.revisions.order_by("-replaced_at", "-pk")[:SHOWN])
    names = names_of(revision.replaced_by for revision in revisions)
    lines = [(revision, names[revision.replaced_by]) for revision in revisions]
    return render(request, "customers/note_history.html", {"lines": lines})


def _visible_note(request: HttpRequest, customer: CustomerProfile, note_id: object) -> CustomerNote:
    viewer = Actor.from_request(request).id
    note = CustomerNote.objects.visible_to(viewer).filter(customer=customer, pk=note_id).first()
    if note is None:
        raise Http404
    return note


def _saved(form: NoteForm, note: CustomerNote, actor: Actor) -> bool:
    if form.is_valid():
        try:
            change_note(note_id=note.pk, actor=actor, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.path if error.path in form.fields else None, error.message)
    return form.is_valid()


def _panel(
    request: HttpRequest,
    customer: CustomerProfile,
    form: NoteForm | None = None,
    editing: CustomerNote | None = None,
) -> HttpResponse:
    context = notes_of(request, customer, form, editing)
    return render(request, "customers/notes.html", context)
