"""The steps' forms. Each takes what it shows from a draft, and gives back what to change."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest

from campaigns.admin.forms import GoalField
from campaigns.choices import CampaignType, SegmentRole
from campaigns.models import Campaign
from campaigns.models.campaign import LONGEST_GOAL_DAYS, TEMPLATE_FIELDS
from campaigns.services.crowd import segments_of
from campaigns.services.templates import TemplateList, list_templates
from campaigns.services.variables import unknown_variables
from crm_site.backoffice import widgets
from crm_site.backoffice.options import scoped
from crm_site.messaging.channels import Channel
from crm_site.tenancy.models import Club
from segments.models import CustomerSegment

# What a person may start; the other types are started by what they belong to.
STARTED_BY_HAND = (CampaignType.ONE_TIME, CampaignType.RECURRING)
LONGEST_TEMPLATE_ID = 128
USUAL_GOAL_DAYS = 7


class StepForm(forms.Form):
    """One step of a draft. ``campaign`` is None where there is none yet."""

    required_css_class = "cw-required"

    def __init__(
        self, *, request: HttpRequest, campaign: Campaign | None, data: Any = None
    ) -> None:
        self.request = request
        self.campaign = campaign
        super().__init__(data=data)
        self.prepare()
        if campaign is not None:
            self.initial.update(self.held(campaign))

    def prepare(self) -> None:
        """Choices that depend on who asks."""

    def held(self, campaign: Campaign) -> dict[str, Any]:
        """What the draft has, by the form's fields."""
        return {name: getattr(campaign, name, None) for name in self.fields}

    def values(self) -> dict[str, Any]:
        """What the draft is to have, by the model's fields."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.fields}


class BasicsForm(StepForm):
    name = forms.CharField(
        max_length=200, widget=widgets.TextInput,
        help_text="For you and your colleagues; who receives it never sees it.",
    )  # fmt: skip
    description = forms.CharField(
        required=False, widget=widgets.Textarea(attrs={"rows": 2}), empty_value=None,
        label="What it is for",
    )  # fmt: skip
    type = forms.ChoiceField(
        label="How often",
        choices=[(each.value, each.label) for each in STARTED_BY_HAND],
        initial=CampaignType.ONE_TIME,
        widget=forms.RadioSelect,
    )
    goal_activity_type = GoalField()
    goal_days = forms.IntegerField(
        required=False, min_value=1, max_value=LONGEST_GOAL_DAYS, initial=USUAL_GOAL_DAYS,
        label="Within days of the message", widget=widgets.IntegerInput,
    )  # fmt: skip
    goal_has_revenue = forms.BooleanField(
        required=False, label="Add up what it was worth", widget=widgets.Checkbox,
    )  # fmt: skip
    club: Any = forms.ModelChoiceField(
        Club.all_tenants.none(), required=False, widget=widgets.Select, empty_label="All of us",
        label="Course or clubhouse",
        help_text="Its name stands for clubName in templates, and only its marketers see this.",
    )  # fmt: skip

    def clean_goal_days(self) -> int:
        return self.cleaned_data["goal_days"] or USUAL_GOAL_DAYS

    def prepare(self) -> None:
        club: Any = self.fields["club"]
        club.queryset = scoped(Club, self.request).order_by("name")
        if not club.queryset.exists():
            del self.fields["club"]
        type_: Any = self.fields["type"]
        if self.campaign is not None and self.campaign.type not in STARTED_BY_HAND:
            type_.choices = [(self.campaign.type, self.campaign.get_type_display())]


class AudienceForm(StepForm):
    segment = forms.ModelChoiceField(
        CustomerSegment.all_tenants.none(), required=False, widget=widgets.Select,
        empty_label="Choose a segment", label="For everybody in",
    )  # fmt: skip
    include_segments = forms.ModelMultipleChoiceField(
        CustomerSegment.all_tenants.none(), required=False, widget=forms.CheckboxSelectMultiple,
        label="and also in", help_text="Who is in several hears once.",
    )  # fmt: skip
    exclude_segments = forms.ModelMultipleChoiceField(
        CustomerSegment.all_tenants.none(), required=False, widget=forms.CheckboxSelectMultiple,
        label="but nobody in", help_text="Left out whatever else they are in.",
    )  # fmt: skip

    def prepare(self) -> None:
        rows: Any = scoped(CustomerSegment, self.request)
        rows = rows.usable().order_by("name")
        for name in ("segment", "include_segments", "exclude_segments"):
            field: Any = self.fields[name]
            field.queryset = rows
            field.label_from_instance = _with_size

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {
            "segment": campaign.segment_id,
            "include_segments": [each.pk for each in segments_of(campaign, SegmentRole.INCLUDE)],
            "exclude_segments": [each.pk for each in segments_of(campaign, SegmentRole.EXCLUDE)],
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        asked_for = {values.get("segment"), *values.get("include_segments", ())}
        for segment in values.get("exclude_segments", ()):
            if segment in asked_for:
                self.add_error(
                    "exclude_segments", f"“{segment}” cannot be both asked for and left out."
                )
        return values

    def values(self) -> dict[str, Any]:
        lists = {
            name: list(self.cleaned_data[name]) for name in ("include_segments", "exclude_segments")
        }
        return super().values() | lists


class ContentForm(StepForm):
    """A switch and a template for each channel that can be sent over."""

    def prepare(self) -> None:
        self.known = list_templates()
        for channel, field in TEMPLATE_FIELDS.items():
            self.fields[f"on_{channel}"] = forms.BooleanField(
                required=False, label=channel.label, widget=forms.CheckboxInput
            )
            current = getattr(self.campaign, field, None)
            self.fields[field] = template_field(channel, self.known, current)

    def held(self, campaign: Campaign) -> dict[str, Any]:
        on = {f"on_{channel}": channel in campaign.channels for channel in TEMPLATE_FIELDS}
        return on | {field: getattr(campaign, field) for field in TEMPLATE_FIELDS.values()}

    def rows(self) -> Iterable[dict[str, Any]]:
        """Switch and template side by side, for the page."""
        for channel, field in TEMPLATE_FIELDS.items():
            yield {
                "channel": channel,
                "switch": self[f"on_{channel}"],
                "template": self[field],
                "chosen": self[field].value(),
            }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for channel, field in TEMPLATE_FIELDS.items():
            chosen = next(
                (each for each in self.known.of(channel) if each.id == values.get(field)), None
            )
            unknown = unknown_variables(chosen.variables) if chosen else []
            if unknown and values.get(f"on_{channel}"):
                words = ", ".join(unknown)
                self.add_error(field, f"It asks for what we do not know of anybody: {words}.")
        return values

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        others = [
            each for each in (self.campaign.channels if self.campaign else [])
            if each not in TEMPLATE_FIELDS
        ]  # fmt: skip
        on = [channel.value for channel in TEMPLATE_FIELDS if chosen[f"on_{channel}"]]
        templates = {field: chosen[field] or None for field in TEMPLATE_FIELDS.values()}
        return {"channels": on + others, **templates}


def template_field(channel: Channel, known: TemplateList, current: str | None) -> forms.Field:
    """A choice of Messaging's templates; a text to type an id into while it cannot be asked."""
    label = f"{channel.label} template"
    if not known.is_known:
        return forms.CharField(
            required=False, label=label, widget=widgets.TextInput, empty_value=None,
            max_length=LONGEST_TEMPLATE_ID,
            help_text="Messaging cannot be reached just now, so its templates cannot be listed. "
            "Type the template’s id, or come back later: nothing you entered is lost.",
        )  # fmt: skip
    choices = [("", "Choose a template")]
    choices += [(each.id, each.name) for each in known.of(channel)]
    if current and not known.holds(channel, current):
        choices.append((current, f"{current} (no longer in Messaging)"))
    return forms.TypedChoiceField(
        required=False, label=label, choices=choices, widget=widgets.Select, empty_value=None,
        help_text="Written and kept in Messaging.",
    )  # fmt: skip


def _with_size(segment: CustomerSegment) -> str:
    return f"{segment.name} ({segment.member_count:,} people)"
