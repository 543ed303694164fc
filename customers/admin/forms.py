"""The details of a customer as a form."""

from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.html import format_html, format_html_join

from crm_site.backoffice.actions import DialogForm
from crm_site.backoffice.bulk import TICKED, BulkForm
from crm_site.backoffice.widgets import Checkbox, Select, Textarea, TextInput
from customers.admin.owners import kept_fields
from customers.choices import NoteType
from customers.models import CustomerProfile
from customers.services.search import search_customers
from customers.services.tagging import tags_in_use


class CustomerForm(forms.ModelForm):
    """Checks shapes only; what must be true of a customer is the service's to say."""

    tags = SimpleArrayField(
        forms.CharField(max_length=64),
        required=False,
        widget=TextInput,
        help_text="Separated by commas.",
    )

    class Meta:
        model = CustomerProfile
        fields: tuple[str, ...] = ()
        labels = {"email": "E-mail", "phone_number": "Phone"}
        help_texts = {
            "email": "Capitals do not matter.",
            "phone_number": "082 555 0101 or, from abroad, +44 20 7946 0018.",
            "display_name": "Only if they go by another name than first and last.",
            "country": "Two letters, as in ZA.",
            "time_zone": "Only where it is not the club's: Europe/London.",
        }

    def clean(self) -> dict[str, Any]:
        # Unlike ModelForm.clean: no look for somebody else with the address. The service normalises
        # first, and says who has it.
        return self.cleaned_data


def _tag_field() -> forms.CharField:
    return forms.CharField(
        max_length=64,
        widget=TextInput(attrs={"autofocus": True, "list": "crm-tags", "autocomplete": "off"}),
        help_text="One that is in use, or a new one: a word or two.",
    )


class _OffersTags:
    def render_after_template(self) -> str:
        options = format_html_join("", '<option value="{}">', ((tag,) for tag in tags_in_use()))
        return format_html('<datalist id="crm-tags">{}</datalist>', options)


class TagForm(_OffersTags, DialogForm):
    tag = _tag_field()


class BulkTagForm(_OffersTags, BulkForm):
    tag = _tag_field()
    most = 5_000_000  # Beyond ``MOST_AT_ONCE`` a job does it.


class MergeTwoForm(BulkForm):
    """Of a merge begun from the list: the two that are ticked there."""

    most = 2

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_pair = bool(self.request.GET.getlist(TICKED)) and self.chosen.count == 2

    def render_before_template(self) -> str:
        # Without a pair there is nobody to speak of, only the error below.
        teller = BulkForm if self.is_pair else DialogForm
        return teller.render_before_template(self)

    def clean(self) -> dict[str, Any]:
        if not self.is_pair:
            raise forms.ValidationError("Tick exactly two customers of the list, then press Merge.")
        return super().clean()


class NoteDialogForm(DialogForm):
    content = forms.CharField(
        label="Note", max_length=10_000, widget=Textarea(attrs={"rows": 4, "autofocus": True})
    )
    type = forms.ChoiceField(label="Kind", choices=NoteType, widget=Select)
    follow_up_on = forms.DateField(
        label="Remind me on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "crm-select"}),
    )
    is_pinned = forms.BooleanField(label="Keep on top", required=False, widget=Checkbox)
    is_private = forms.BooleanField(label="Only for me", required=False, widget=Checkbox)


class CorrectionForm(DialogForm):
    field = forms.ChoiceField(label="What is wrong", widget=Select)
    right = forms.CharField(
        label="What it should be", max_length=300, widget=TextInput(attrs={"autofocus": True})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customer = CustomerProfile.objects.filter(pk=str(self.object_id)).first()
        field: Any = self.fields["field"]
        field.choices = [
            (each.name, f"{each.label}: {each.value} (from {each.owner_name})")
            for each in (kept_fields(customer) if customer else [])
        ]


class OtherCustomerForm(DialogForm):
    other = forms.CharField(
        label="The other customer",
        max_length=254,
        widget=TextInput(attrs={"autofocus": True}),
        help_text="Their name, e-mail address, phone or member number.",
    )

    def clean_other(self) -> CustomerProfile:
        """The only one who answers to it; several are named, so that one can be more exact."""
        ids = search_customers(self.cleaned_data["other"], limit=4)
        rows = CustomerProfile.objects.filter(pk__in=ids).exclude(pk=str(self.object_id))
        found = list(rows.defer("search_vector"))
        if not found:
            raise forms.ValidationError("No other customer answers to this.")
        if len(found) > 1:
            named = "; ".join(
                " ".join(filter(None, (each.name, each.email or each.phone_number)))
                for each in found
            )
            raise forms.ValidationError(f"Several do: {named}. Give an address or a number.")
        return found[0]
