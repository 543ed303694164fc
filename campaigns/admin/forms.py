"""Forms that staff fill in about campaigns."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError

from campaigns.models import Campaign
from campaigns.services.goals import goal_choices
from crm_site.backoffice import widgets
from crm_site.backoffice.options import DialogForm


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


class GoalField(forms.TypedChoiceField):
    """What a campaign is for: an activity the club has seen, or None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, choices=_goals, widget=widgets.Select, empty_value=None,
            label="What people should do",
            help_text="Counted for each message from what they did after it; may be chosen later.",
            **kwargs,
        )  # fmt: skip


def _goals() -> list[tuple[str, str]]:
    return [("", "No goal"), *goal_choices()]


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
