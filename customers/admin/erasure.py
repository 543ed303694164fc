"""Who was erased: when, by whom and why, without a name; and the way back for who wants to."""

from collections import defaultdict
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import DialogForm, ReadOnlyTenantAdmin, dialog_action, display
from crm_site.backoffice.people import names_of
from crm_site.backoffice.widgets import TextInput
from customers.models import Erasure
from customers.normalize import NormalizeError, normalize_email, normalize_phone
from customers.services.erased import readmit
from customers.services.facts import country_in_scope
from customers.tasks import nudge_copy_on_commit


def still_naming(erasure: Erasure) -> list[Any]:
    """What named the person when they were erased and is still there."""
    ids = defaultdict(list)
    for each in erasure.mentioned_in:
        ids[each["entityType"]].append(each["entityId"])
    models = (model for model in apps.get_models() if model._meta.object_name in ids)
    return [
        row
        for model in models
        for row in model._default_manager.filter(pk__in=ids[str(model._meta.object_name)])
        if getattr(row, "deleted_at", None) is None
    ]


class ReadmitForm(DialogForm):
    address = forms.CharField(
        label="Their e-mail address or phone number",
        max_length=254,
        widget=TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )

    def clean_address(self) -> dict[str, str]:
        """As the profile would hold it, by its field."""
        said = self.cleaned_data["address"]
        try:
            if "@" in said:
                return {"email": normalize_email(said)}
            return {"phone_number": normalize_phone(said, country_in_scope())}
        except NormalizeError as error:
            raise forms.ValidationError(str(error)) from None


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyTenantAdmin):
    empty_title = "Nobody has been erased"
    empty_text = (
        "When somebody asks to be forgotten, open their page and choose Erase from the menu. "
        "Here you then see that it was done."
    )
    list_display = ("erased", "why", "by", "rows", "named", "back")
    list_display_links = None
    ordering = ("-erased_at", "-pk")
    sortable_by = ()
    actions_list = ("admit_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        returned = Count("identities", filter=Q(identities__readmitted_at__isnull=False))
        return super().get_queryset(request).annotate(returned=returned)

    @display(description="Erased")
    def erased(self, row: Erasure) -> SafeString | str:
        return ago(row.erased_at)

    @display(description="Why")
    def why(self, row: Erasure) -> str:
        return row.get_reason_display()

    @display(description="By")
    def by(self, row: Erasure) -> str:
        return names_of([row.performed_by])[row.performed_by]

    @display(description="Rows emptied or removed")
    def rows(self, row: Erasure) -> str:
        return f"{sum(row.counts.values()):,}"

    @display(description="Still named in")
    def named(self, row: Erasure) -> SafeString | str:
        links = []
        for found in still_naming(row):
            page = f"admin:{found._meta.app_label}_{found._meta.model_name}_change"
            links.append((reverse(page, args=[found.pk]), found))
        return format_html_join(", ", '<a class="crm-link" href="{}">{}</a>', links) or "–"

    @display(description="May come back")
    def back(self, row: Erasure) -> str:
        return "Yes, admitted again" if row.returned else "No"  # type: ignore[attr-defined]

    @dialog_action(
        title="Admit somebody again",
        text="For somebody who was erased and wants to come back. They begin anew, without history "
        "and without consent; from then on events and imports may bring them in.",
        submit="Admit them",
        form=ReadmitForm,
        icon="person_add",
        permissions=["customers.erase_customerprofile"],
    )
    def admit_again(self, request: HttpRequest, form: ReadmitForm, row: None) -> str:
        readmit(identifiers=form.cleaned_data["address"], actor=Actor.from_request(request))
        nudge_copy_on_commit()
        return "They may come back. Add them as a customer, or wait for their next event."
