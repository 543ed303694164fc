"""Exporting, erasing and admitting people again: dialogs of the customer list and page."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import go_to
from crm_site.backoffice.bulk import TICKED, WITH_TICKED, BulkForm
from crm_site.backoffice.options import ActionVariant, DialogForm, dialog_action
from crm_site.backoffice.saved_lists import shown_list
from crm_site.backoffice.widgets import CheckboxSelectMultiple, Select, TextInput
from crm_site.jobs.tasks import nudge_on_commit
from customers.admin.erasure import still_naming
from customers.choices import ErasureReason, ExportFormat
from customers.models import CustomerExport, CustomerProfile
from customers.services.erasure import erase_profile
from customers.services.export_columns import COLUMNS, USUAL_COLUMNS
from customers.services.exports import request_list_export, request_person_export
from customers.tasks import nudge_copy_on_commit

WORD = "ERASE"
WHAT_GOES = (
    "Their name, addresses, notes, messages' contents and everything else that says who they are "
    "goes from every part of Fairway, the audit log included. Messages still to be sent are "
    "stopped. What was counted stays counted. They cannot come back by an event or an import "
    "unless somebody admits them again. This cannot be undone, not even by us."
)


def _label(field_name: str) -> str:
    field: Any = CustomerProfile._meta.get_field(field_name)
    return str(field.verbose_name).capitalize()


# How people read a column's name: "firstName" as "First name".
LABELS = [(name, _label(field)) for name, field in COLUMNS.items()]


class EraseForm(DialogForm):
    reason = forms.ChoiceField(label="Why", choices=ErasureReason, widget=Select)
    confirm = forms.CharField(
        label=f"Type {WORD} to go on",
        widget=TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )

    def clean_confirm(self) -> str:
        if self.cleaned_data["confirm"].strip() != WORD:
            raise forms.ValidationError(f"Type {WORD}, in capitals.")
        return WORD


class ListExportForm(BulkForm):
    most = 5_000_000
    format = forms.ChoiceField(
        label="As",
        choices=[(each.value, each.label) for each in (ExportFormat.CSV, ExportFormat.XLSX)],
        widget=Select,
    )
    columns = forms.MultipleChoiceField(
        choices=LABELS, initial=list(USUAL_COLUMNS), widget=CheckboxSelectMultiple
    )


class PrivacyDialogs:
    """For the customers' admin."""

    @dialog_action(
        title="Export these people",
        label="Export",
        text="You get a file with the columns you choose. It is there for three days, and who "
        "asked for it is in the audit log.",
        submit="Export",
        form=ListExportForm,
        icon="download",
        attrs=WITH_TICKED,
        permissions=["customers.export_customerprofile"],
    )
    def export_list(self, request: HttpRequest, form: ListExportForm, obj: Any) -> HttpResponse:
        ticked = request.GET.getlist(TICKED)
        shown = {} if ticked else dict(shown_list(request).GET.lists())
        job = request_list_export(
            people=form.chosen.rows,
            filters={"ticked": len(ticked)} if ticked else shown,
            actor=Actor.from_request(request),
            columns=form.cleaned_data["columns"],
            format=form.cleaned_data["format"],
        )
        return _watch(job)

    @dialog_action(
        title="Export everything about this person",
        label="Export",
        text="For somebody who asks what you hold about them: a page to read and the same for "
        "programs, in one ZIP file. Private notes are in it only where they are yours.",
        submit="Export",
        icon="download",
        permissions=["customers.export_customerprofile"],
    )
    def export_person(self, request: HttpRequest, form: Any, customer: Any) -> HttpResponse:
        actor = Actor.from_request(request)
        return _watch(request_person_export(customer_id=customer.pk, actor=actor))

    @dialog_action(
        title="Erase this person for good",
        label="Erase",
        text=WHAT_GOES,
        submit="Erase for good",
        form=EraseForm,
        icon="person_remove",
        variant=ActionVariant.DANGER,
        permissions=["customers.erase_customerprofile"],
    )
    def erase(self, request: HttpRequest, form: EraseForm, customer: Any) -> str:
        reason = ErasureReason(form.cleaned_data["reason"])
        actor = Actor.from_request(request)
        erasure = erase_profile(customer_id=customer.pk, actor=actor, reason=reason)
        nudge_copy_on_commit()
        named_in = ", ".join(f"“{row}”" for row in still_naming(erasure))
        if named_in:
            return f"They are erased, but the rules of {named_in} still name them: change these."
        return "They are erased. Nothing is left here that says who they were."


def _watch(job: CustomerExport) -> HttpResponse:
    """To the page that shows how far it is, and then the file."""
    nudge_on_commit(job)
    return go_to(reverse("admin:customers_customerexport_change", args=[job.pk]))
