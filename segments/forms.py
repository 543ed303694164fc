"""The form of a segment, with its rules in a builder."""

import json
from typing import Any

from django import forms
from django.forms.widgets import Script
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from crm_site.backoffice import widgets
from segments.choices import Combinator, SegmentType
from segments.models import CustomerSegment
from segments.rules.catalogue import catalogue
from segments.rules.errors import RuleError
from segments.rules.grammar import parse
from segments.rules.references import check_segments

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


class SegmentForm(forms.ModelForm):
    """A segment by rules or by hand; the other types are made elsewhere."""

    rules = forms.CharField(
        required=False,
        widget=RuleBuilder,
        label="Who is in it",
        help_text="Consent is not part of it: a campaign writes only to those who agreed.",
    )

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
            made_here = {SegmentType.DYNAMIC, SegmentType.STATIC, SegmentType.IMPORT}
            offered = {*made_here, self.instance.type}
            self.fields["type"].choices = [  # type: ignore[attr-defined]
                (value, label) for value, label in SegmentType.choices if value in offered
            ]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("type", self.instance.type) != SegmentType.DYNAMIC:
            self.instance.criteria = None
            return cleaned
        if "rules" in self.fields:
            self._read_rules()
        return cleaned

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
