"""What the front desk does for one customer, from the menu of their page."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import go_to
from crm_site.backoffice.options import dialog_action
from customers.admin.forms import CorrectionForm, NoteDialogForm, OtherCustomerForm
from customers.admin.owners import kept_fields
from customers.choices import NoteType
from customers.models import CustomerProfile
from customers.services.merging import check_different
from customers.services.notes import add_note

CHECK_CORRECTION_AFTER = timedelta(days=7)


class DeskActions:
    """Buttons of the customer's page; each calls one service."""

    @dialog_action(
        title="Add a note",
        submit="Add note",
        form=NoteDialogForm,
        icon="sticky_note_2",
        permissions=["customers.add_customernote"],
    )
    def write_note(
        self, request: HttpRequest, form: NoteDialogForm, customer: CustomerProfile
    ) -> str:
        values = {name: form.cleaned_data[name] for name in form.fields if name in NOTE_FIELDS}
        add_note(customer_id=customer.pk, actor=Actor.from_request(request), **values)
        return "The note is on the page. Remove takes it away again."

    @dialog_action(
        title="Request a correction",
        text="What another service keeps is put right there; the next sync brings it here. This "
        "writes a note of what to ask for, and reminds you in a week.",
        submit="Note it down",
        form=CorrectionForm,
        icon="edit_off",
        permissions=["customers.add_customernote"],
    )
    def request_correction(
        self, request: HttpRequest, form: CorrectionForm, customer: CustomerProfile
    ) -> str:
        kept = {each.name: each for each in kept_fields(customer)}
        field = kept[form.cleaned_data["field"]]
        add_note(
            customer_id=customer.pk,
            actor=Actor.from_request(request),
            type=NoteType.INTERNAL,
            content=f"Ask {field.owner_name} to correct {field.label}: "
            f"“{field.value}” should be “{form.cleaned_data['right']}”.",
            follow_up_on=timezone.localdate() + CHECK_CORRECTION_AFTER,
        )
        return f"Noted. Tell {field.owner_name}; it is on your home page in a week."

    @dialog_action(
        title="Merge with another customer",
        label="Merge with …",
        text="You see both side by side before anything happens.",
        submit="Look at both",
        form=OtherCustomerForm,
        icon="merge",
        permissions=["customers.merge_customerprofile"],
    )
    def merge_with(
        self, request: HttpRequest, form: OtherCustomerForm, customer: CustomerProfile
    ) -> HttpResponse:
        other = form.cleaned_data["other"]
        check_different(customer.pk, other.pk)
        page = "admin:customers_duplicatecandidate_compare"
        return go_to(reverse(page, args=[customer.pk, other.pk]))


NOTE_FIELDS = {"content", "type", "follow_up_on", "is_pinned", "is_private"}
