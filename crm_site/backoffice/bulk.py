"""Doing one thing to many rows of a list: those ticked, or all that it shows under its filters."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm_site.backoffice.actions import DialogForm
from crm_site.backoffice.saved_lists import admin_of_dialog, shown_list

TICKED = "_selected_action"
# For the button of a bulk action: the ticked rows come along.
# ``title`` holds no field: htmx complains where nothing at all matches, as when nobody is ticked.
WITH_TICKED = {"hx-include": f"title, [name={TICKED}]:checked"}


@dataclass(frozen=True)
class Chosen:
    """Whom a bulk action is about."""

    rows: QuerySet[Any]
    count: int
    words: str


def tick(pk: object, name: str) -> SafeString:
    """The box in front of a row. Not the theme's own, which selects without end."""
    template = '<input type="checkbox" class="crm-tick" name="{}" value="{}" aria-label="{}">'
    return format_html(template, TICKED, pk, f"Choose {name}")


def chosen_rows(request: HttpRequest) -> Chosen:
    """The rows that the list behind a dialog has ticked; all it shows, where none is."""
    model_admin = admin_of_dialog(request)
    name, names = model_admin.opts.verbose_name, model_admin.opts.verbose_name_plural
    ticked = request.GET.getlist(TICKED)
    if ticked:
        ids = [pk for each in ticked if (pk := _uuid(each)) is not None]
        rows = model_admin.get_queryset(request).filter(pk__in=ids)
        count = rows.count()
        who = f"the {name}" if count == 1 else f"the {count:,} {names}"
        return Chosen(rows, count, f"{who} you have ticked")
    try:
        rows = model_admin.get_changelist_instance(shown_list(request)).queryset
    except IncorrectLookupParameters:
        rows = model_admin.get_queryset(request).none()
    count = rows.order_by().count()
    who = f"the one {name}" if count == 1 else f"all {count:,} {names}"
    return Chosen(rows, count, f"{who} that the list shows, on every page of it")


class BulkForm(DialogForm):
    """Says how many it is about, and acts only on as many as were seen and agreed to."""

    expected = forms.IntegerField(widget=forms.HiddenInput)
    most = 10_000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Ids of its own: the list's filters beside it have fields of the same names.
        super().__init__(*args, **{"auto_id": "bulk_%s", **kwargs})
        self.chosen = chosen_rows(self.request)
        self.fields["expected"].initial = self.chosen.count

    def render_before_template(self) -> str:
        said = format_html("<p class='crm-bulk'>This is about {}.</p>", self.chosen.words)
        return said + super().render_before_template()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        count = self.chosen.count
        if not count:
            raise forms.ValidationError("There is nobody in this list.")
        if count > self.most:
            raise forms.ValidationError(
                f"{count:,} are more than the {self.most:,} that go at once. Narrow the list down."
            )
        if values.get("expected") != count:
            raise forms.ValidationError(
                f"The list has changed: it is {count:,} by now. Close this and look again."
            )
        return values


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
