"""The details of a customer as a form."""

from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField

from crm_site.backoffice.actions import DialogForm
from crm_site.backoffice.widgets import TextInput
from customers.models import CustomerProfile


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


class TagForm(DialogForm):
    tag = forms.CharField(
        max_length=64, widget=TextInput(attrs={"autofocus": True}), help_text="A word or two: vip."
    )
