"""Trying one thing against another, and keeping some people out to compare with."""

from typing import Any

from django import forms

from campaigns.admin.wizard.forms import StepForm, template_field
from campaigns.choices import WinnerMetric
from campaigns.models import Campaign
from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services.templates import list_templates
from crm_site.backoffice import widgets

NAMES = ("A", "B")


class TestStepForm(StepForm):
    """A hold-out, and a second version for one half of a test group."""

    hold_out_percent = forms.IntegerField(
        label="Keep out to compare with, percent", min_value=0, max_value=50, initial=0,
        widget=widgets.IntegerInput,
        help_text="They never hear, so that the results show what the campaign itself did.",
    )  # fmt: skip
    test_percent = forms.IntegerField(
        label="Try two versions on, percent", min_value=1, max_value=100, required=False,
        widget=widgets.IntegerInput,
        help_text="Half of them get version A, what the content says, the other half version B; "
        "the rest get the better one. Blank: no test.",
    )  # fmt: skip
    test_metric = forms.ChoiceField(
        label="The better one has more", choices=WinnerMetric.choices, widget=widgets.Select
    )
    test_hours = forms.IntegerField(
        label="Decided after, hours", min_value=1, max_value=24, initial=4,
        widget=widgets.IntegerInput,
    )  # fmt: skip
    b_send_hour = forms.IntegerField(
        label="Version B goes out at, hour", min_value=0, max_value=23, required=False,
        widget=widgets.IntegerInput, help_text="0 to 23; blank: at once, as version A.",
    )  # fmt: skip

    def prepare(self) -> None:
        known = list_templates()
        held = self._second()
        for channel, name in TEMPLATE_FIELDS.items():
            if self.campaign is not None and channel in self.campaign.channels:
                field = template_field(channel, known, getattr(held, name, None))
                field.label = f"Version B, {channel.label}"
                self.fields[f"b_{name}"] = field

    def held(self, campaign: Campaign) -> dict[str, Any]:
        second = self._second()
        of_b = {
            name: getattr(second, name.removeprefix("b_"), None)
            for name in self.fields
            if name.startswith("b_")
        }
        own = ("hold_out_percent", "test_percent", "test_metric", "test_hours")
        return {name: getattr(campaign, name) for name in own} | of_b

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        values = {name: chosen[name] for name in chosen if not name.startswith("b_")}
        if self._is_made_elsewhere():
            return values
        if chosen["test_percent"] is None:
            return values | {"variants": []}
        of_b = {name.removeprefix("b_"): chosen[name] for name in chosen if name.startswith("b_")}
        first, second = ({"name": name, "share": 50} for name in NAMES)
        return values | {"variants": [first, second | of_b]}

    def _second(self) -> Any:
        variants = list(self.campaign.variants.all()) if self.campaign else []
        return variants[1] if len(variants) > 1 else None

    def _is_made_elsewhere(self) -> bool:
        """More versions than this form has, or other shares: over HTTP, and left as they are."""
        held = self.campaign.variants.values_list("name", "share") if self.campaign else []
        return bool(held) and list(held) != [(name, 50) for name in NAMES]
