"""Forms that staff fill in about campaigns."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.channels import has_sender
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services.templates import TemplateList, list_templates
from crm_site.backoffice import widgets
from crm_site.backoffice.options import DialogForm
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant


class NativeDateInput(widgets.TextInput):
    """The browser's own calendar: works without our scripts, on a phone too."""

    input_type = "date"


class NativeTimeInput(widgets.TextInput):
    input_type = "time"


def zone_choices() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]


def moment_in(day: date, hour: time, zone: str) -> datetime:
    """A time by the clock of ``zone``. Raises ValidationError for one that the clocks skip.

    One that they repeat is the first of the two.
    """
    local = datetime.combine(day, hour, tzinfo=ZoneInfo(zone))
    if local.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo(zone)) != local:
        raise ValidationError("The clocks go forward then: that time does not exist on that day.")
    return local


class CampaignForm(forms.ModelForm):
    """A one-time campaign. A draft may be saved half done: the review says what is missing."""

    channels = forms.MultipleChoiceField(
        required=False,
        choices=[(each.value, each.label) for each in TEMPLATE_FIELDS if has_sender(each)],
        widget=widgets.CheckboxSelectMultiple,
        help_text="Everybody hears once over each channel they agreed to.",
    )
    send_on = forms.DateField(
        required=False,
        label="Day",
        widget=NativeDateInput,
        help_text="Blank: you start it yourself.",
    )
    send_at = forms.TimeField(required=False, label="Time", widget=NativeTimeInput)
    timezone = forms.ChoiceField(
        choices=zone_choices, label="Time zone", widget=widgets.Select,
        help_text="The clock that the time above is read by.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.status != CampaignStatus.DRAFT:
            # Closed by now, so nothing of it is read from what was sent.
            for name in [*TEMPLATE_FIELDS.values(), "channels", "send_on", "send_at", "timezone"]:
                self.fields.pop(name, None)
            return
        known = list_templates()
        for channel, name in TEMPLATE_FIELDS.items():
            if name in self.fields:
                self.fields[name] = _template_field(channel, known, getattr(self.instance, name))
        self._fill_in_the_time()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "send_on" not in self.fields or "timezone" not in values:
            return values
        day, hour = values.get("send_on"), values.get("send_at")
        if (day is None) != (hour is None):
            missing = "send_at" if day else "send_on"
            if missing not in self.errors:
                self.add_error(missing, "Give both the day and the time, or neither.")
            return values
        try:
            self.scheduled_at = moment_in(day, hour, values["timezone"]) if day and hour else None
        except ValidationError as error:
            self.add_error("send_at", error)
        else:
            if self.scheduled_at and self.scheduled_at <= timezone.now():
                self.add_error("send_on", "That time is past; choose a later one.")
        return values

    def changes(self) -> dict[str, Any]:
        """What was changed, by the model's field names."""
        values = {
            name: self.cleaned_data[name]
            for name in self.changed_data
            if name not in ("send_on", "send_at") and name in self.cleaned_data
        }
        if "send_on" in self.fields:
            values["scheduled_at"] = self.scheduled_at
        return values

    def _fill_in_the_time(self) -> None:
        is_new = self.instance._state.adding
        if is_new:
            zone = Tenant.objects.get(pk=require_tenant_id()).time_zone
            self.initial["timezone"] = zone
        elif self.instance.scheduled_at:
            zone = self.instance.timezone or "UTC"
            local = self.instance.scheduled_at.astimezone(ZoneInfo(zone))
            self.initial["send_on"] = local.date().isoformat()
            self.initial["send_at"] = f"{local:%H:%M}"


def _template_field(channel: Channel, known: TemplateList, current: str | None) -> forms.Field:
    label = f"{channel.label} template"
    if not known.is_known:
        return forms.CharField(
            required=False, label=label, widget=widgets.TextInput, empty_value=None,
            max_length=128,
            help_text="Messaging cannot be reached just now, so its templates cannot be listed. "
            "Type the template’s id, or come back later: nothing you entered is lost.",
        )  # fmt: skip
    choices = [("", "No template yet")]
    choices += [(each.id, each.name) for each in known.of(channel)]
    if current and not known.holds(channel, current):
        choices.append((current, f"{current} (no longer in Messaging)"))
    return forms.TypedChoiceField(
        required=False, label=label, choices=choices, widget=widgets.Select, empty_value=None,
        help_text=f"From Messaging. Used while {channel.label} is switched on.",
    )  # fmt: skip


class ScheduleForm(DialogForm):
    """When a campaign goes out by itself."""

    send_on = forms.DateField(label="Day", widget=NativeDateInput)
    send_at = forms.TimeField(label="Time", widget=NativeTimeInput)
    timezone = forms.ChoiceField(choices=zone_choices, label="Time zone", widget=widgets.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = Campaign.objects.filter(pk=self.object_id).first()
        if campaign is None:
            return
        self.initial["timezone"] = zone = campaign.timezone or "UTC"
        if campaign.scheduled_at:
            local = campaign.scheduled_at.astimezone(ZoneInfo(zone))
            self.initial["send_on"] = local.date().isoformat()
            self.initial["send_at"] = f"{local:%H:%M}"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if {"send_on", "send_at", "timezone"} <= set(values):
            try:
                values["scheduled_at"] = moment_in(
                    values["send_on"], values["send_at"], values["timezone"]
                )
            except ValidationError as error:
                self.add_error("send_at", error)
        return values
