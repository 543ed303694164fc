"""The form of a segment, with its rules in a builder."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.widgets import Script
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from crm_site.backoffice import widgets
from crm_site.errors import DomainError
from segments.choices import Combinator, SegmentType, SmartModel
from segments.models import CustomerSegment
from segments.rules.catalogue import catalogue
from segments.rules.errors import RuleError
from segments.rules.grammar import parse
from segments.rules.references import check_segments
from segments.rules.smart import MOST_PEOPLE, SmartQuestion, parse_smart
from segments.services.trials import check_question, require_trial

NEW_RULES = {"combinator": "AND", "rules": [{"field": "lifecycleStage", "operator": "in",
                                             "value": ["MEMBER"]}]}  # fmt: skip


class RuleBuilder(widgets.Textarea):
    """Rules as JSON in a text area, which a script turns into a builder.

    ``segment_id`` names a saved segment, with whose members the rules are compared.
    """

    segment_id: str | None = None

    template_name = "admin/segments/rule_builder.html"

    class Media:
        css = {"all": ["segments/rule-builder.css"]}
        js = [Script("segments/rule-builder.js", type="module")]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # Django renders widgets from its own templates only; this one is the project's.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        segments = CustomerSegment.objects.live().order_by("name").values_list("pk", "name")
        context["catalogue"] = catalogue() | {
            "segment": self.segment_id,
            "segments": [[str(pk), title] for pk, title in segments],
            "previewUrl": reverse("admin:segments_customersegment_preview"),
            "valuesUrl": reverse("admin:segments_customersegment_values"),
        }
        return context


class TrialButton(forms.Widget):
    """Tries the model that the form describes, and says how good it is."""

    class Media:
        js = [Script("segments/smart.js", type="module")]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        asked = {"try_url": reverse("admin:segments_customersegment_try")}
        return render_to_string("admin/segments/trial_button.html", asked)


SMART_FIELDS = (
    *("smart_model", "smart_segment", "smart_size", "smart_min_score"),
    "smart_trial",
)
# Where a fault of the stored question belongs in the form.
FIELD_OF = {"segment": "smart_segment", "size": "smart_size", "minScore": "smart_min_score"}


def read_question(said: Mapping[str, Any]) -> SmartQuestion:
    """What the form asks of a model. Raises RuleError."""
    size, score = said.get("smart_size"), said.get("smart_min_score")
    model = said.get("smart_model")
    is_alike = model == SmartModel.LOOKALIKE
    return parse_smart(
        {
            "model": model,
            "segment": str(said.get("smart_segment") or "") if is_alike else None,
            "size": _whole(size),
            "minScore": None if score in (None, "") else (_whole(score) or 0) / 100,
        }
    )


def _whole(value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        return int(str(value))
    except ValueError:
        raise RuleError("criteria.size", "Whole numbers are expected.") from None


class SegmentForm(forms.ModelForm):
    """A segment of any type."""

    rules = forms.CharField(
        required=False,
        widget=RuleBuilder,
        label="Who is in it",
        help_text="Consent is not part of it: a campaign writes only to those who agreed.",
    )

    smart_model = forms.ChoiceField(
        required=False, choices=SmartModel.choices, widget=widgets.Select, label="Who",
        help_text="Learned from what your customers did before. Gender, names and addresses play "
        "no part.",
    )  # fmt: skip
    smart_segment = forms.ChoiceField(
        required=False, widget=widgets.Select, label="Like members of",
        help_text="Those who are in it already are left out.",
    )  # fmt: skip
    smart_size = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_PEOPLE, widget=widgets.IntegerInput,
        label="How many", help_text="The most likely first. Or leave it empty and give a score.",
    )  # fmt: skip
    smart_min_score = forms.IntegerField(
        required=False, min_value=1, max_value=99, widget=widgets.IntegerInput,
        label="Or from a score of (%)", help_text="However many they are, up to 100,000.",
    )  # fmt: skip
    smart_trial = forms.CharField(
        required=False, widget=TrialButton, label="How good is it?",
        help_text="Tried on people it has not seen. Needed before you save; it takes up to a "
        "minute.",
    )  # fmt: skip

    class Meta:
        model = CustomerSegment
        fields = (
            *("name", "description", "type", "club", "refresh_frequency", "is_active"),
            "messaging_segment_id",
        )
        widgets = {"description": widgets.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rules" in self.fields:
            shown = self.instance.rules if self.instance.criteria else NEW_RULES
            self.fields["rules"].initial = json.dumps(shown, indent=1)
            if not self.instance._state.adding:
                self.fields["rules"].widget.segment_id = str(self.instance.pk)
        if "type" in self.fields:
            self.fields["type"].choices = SegmentType.choices  # type: ignore[attr-defined]
        if "smart_model" in self.fields:
            self._show_question()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        kind = self.cleaned_data.get("type", self.instance.type)
        if kind == SegmentType.SMART:
            self._ask_model()
            return cleaned
        if kind != SegmentType.DYNAMIC:
            self.instance.criteria = None
            return cleaned
        if "rules" in self.fields:
            self._read_rules()
        return cleaned

    def _show_question(self) -> None:
        others = CustomerSegment.objects.live().exclude(pk=self.instance.pk).order_by("name")
        names = [(str(pk), name) for pk, name in others.values_list("pk", "name")]
        self.fields["smart_segment"].choices = [  # type: ignore[attr-defined]
            ("", "Choose a segment"), *names
        ]  # fmt: skip
        self.fields["smart_size"].initial = 500
        if self.instance.is_by_model and self.instance.criteria:
            asked = parse_smart(self.instance.criteria)
            score = None if asked.min_score is None else round(asked.min_score * 100)
            shown = (asked.model, str(asked.segment or ""), asked.size, score)
            for name, value in zip(SMART_FIELDS, shown, strict=False):
                self.fields[name].initial = value

    def _ask_model(self) -> None:
        if "smart_model" not in self.fields:
            return
        before = self.instance.criteria if self.initial.get("type") == SegmentType.SMART else None
        try:
            question = read_question(self.cleaned_data)
            check_question(question, asked_by=self.instance.pk)
            if before != question.as_json():
                require_trial(question, now=timezone.now())
        except DomainError as error:
            name = FIELD_OF.get(error.path.rpartition(".")[2], "smart_model")
            self.add_error(name, error.message)
        else:
            self.instance.criteria = question.as_json()

    def _read_rules(self) -> None:
        try:
            given = json.loads(self.cleaned_data.get("rules") or "{}")
            criteria, combinator = given.get("rules"), given.get("combinator", Combinator.AND)
            check_segments(parse(criteria, combinator), asked_by=self.instance.pk)
        except (ValueError, AttributeError, RecursionError):
            self.add_error("rules", 'This is not {"combinator": …, "rules": […]}.')
        except RuleError as error:
            self.add_error("rules", str(error))
        else:
            self.instance.criteria, self.instance.combinator = criteria, combinator
