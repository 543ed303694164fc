"""Filling a list from a file, and telling who was not found."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice.widgets import Textarea
from crm_site.errors import DomainError
from segments.admin.members import may_change
from segments.models import CustomerSegment
from segments.services.importing import ImportReport, import_members
from segments.services.lists import ReadList, read_list, read_text

MOST_BYTES = 5 * 1024 * 1024


class ImportForm(forms.Form):
    """A file, or lines pasted from one."""

    file = forms.FileField(
        label="CSV or Excel file",
        required=False,
        help_text="A column called id, email, phone or member number; without one, the first.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    people = forms.CharField(
        label="Or paste them here, one a line",
        required=False,
        widget=Textarea(attrs={"rows": 6}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if bool(file) == bool(cleaned.get("people")):
            raise forms.ValidationError("Choose a file or paste some lines, one of the two.")
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError("The file is larger than 5 MB.")
        return cleaned

    def read(self) -> ReadList:
        """Raises SegmentError for a file that cannot be read."""
        file = self.cleaned_data.get("file")
        return read_list(file, file.name) if file else read_text(self.cleaned_data["people"])


def import_page(request: HttpRequest, segment: CustomerSegment, context: Any) -> HttpResponse:
    """The form, and after a POST what became of the lines."""
    if not may_change(request, segment):
        raise PermissionDenied
    is_sent, report = request.method == "POST", None
    form = ImportForm(request.POST, request.FILES) if is_sent else ImportForm()
    if is_sent and form.is_valid():
        report = _run(form, segment, Actor.from_request(request))
    context = {
        **context,
        "title": f"Fill “{segment.name}” from a file",
        "form": form,
        "report": report,
        "segment_url": reverse("admin:segments_customersegment_change", args=[segment.pk]),
    }
    return render(request, "admin/segments/import.html", context)


def _run(form: ImportForm, segment: CustomerSegment, actor: Actor) -> ImportReport | None:
    try:
        read = form.read()
        return import_members(
            segment=segment, lines=read.lines, kind=read.kind, actor=actor, now=timezone.now()
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return None
