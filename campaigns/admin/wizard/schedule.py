"""When a campaign goes out: by hand, at a time, or again and again in words."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.admin.forms import NativeDateInput, NativeTimeInput, moment_in, zone_choices
from campaigns.admin.wizard.forms import StepForm
from campaigns.choices import CampaignType, QuietHoursPolicy
from campaigns.models import Campaign
from campaigns.services.patterns import (
    LAST_DAY,
    WEEKDAYS,
    Repeats,
    Rhythm,
    to_pattern,
    to_rhythm,
)
from campaigns.services.recurrence import RecurrenceError, check_pattern
from crm_site.backoffice import widgets
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant

BY_HAND, AT_A_TIME = "hand", "time"
ONCE = ("when", "send_on", "send_at")
AGAIN = ("repeats", "weekdays", "day", "at", "pattern", "start_on", "end_on")
# A week reads from Monday.
WEEK = [(str(day), WEEKDAYS[day]) for day in (1, 2, 3, 4, 5, 6, 0)]
DAYS = [*((str(day), str(day)) for day in range(1, 32)), (LAST_DAY, "the last day")]


class ScheduleStepForm(StepForm):
    """Fields of a single sending or of a repeating one, as the first step says."""

    when = forms.ChoiceField(
        label="Goes out",
        choices=[(BY_HAND, "When I start it"), (AT_A_TIME, "By itself, at this time")],
        widget=forms.RadioSelect, initial=BY_HAND, required=False,
    )  # fmt: skip
    send_on = forms.DateField(required=False, label="Day", widget=NativeDateInput)
    send_at = forms.TimeField(required=False, label="Time", widget=NativeTimeInput)
    repeats = forms.ChoiceField(
        choices=[
            (Repeats.DAILY, "Every day"),
            (Repeats.WEEKLY, "Every week"),
            (Repeats.MONTHLY, "Every month"),
            (Repeats.PATTERN, "By a cron pattern"),
        ],
        widget=forms.RadioSelect, initial=Repeats.WEEKLY, required=False,
    )  # fmt: skip
    weekdays = forms.MultipleChoiceField(
        required=False, choices=WEEK, widget=forms.CheckboxSelectMultiple, label="On"
    )
    day = forms.ChoiceField(
        required=False, choices=DAYS, widget=widgets.Select, label="On day",
        help_text="A month that has no such day is passed over.",
    )  # fmt: skip
    pattern = forms.CharField(
        required=False, max_length=100, widget=widgets.TextInput, label="Cron pattern",
        help_text="Minute, hour, day, month, weekday: 0 9 * * 1.",
    )  # fmt: skip
    at = forms.TimeField(required=False, label="At", widget=NativeTimeInput, initial=time(9))
    start_on = forms.DateField(
        required=False, label="Not before", widget=NativeDateInput, help_text="Blank: at once."
    )
    end_on = forms.DateField(
        required=False, label="Until", widget=NativeDateInput,
        help_text="The last day; blank: until it is cancelled.",
    )  # fmt: skip
    timezone = forms.ChoiceField(
        choices=zone_choices, label="Time zone", widget=widgets.Select,
        help_text="The clock that these times are read by. Summer time is followed.",
    )  # fmt: skip

    quiet_hours_policy = forms.ChoiceField(
        label="In somebody's quiet hours", choices=QuietHoursPolicy.choices, required=False,
        widget=widgets.Select, initial=QuietHoursPolicy.WAIT,
    )  # fmt: skip
    messages_per_hour = forms.IntegerField(
        label="At most so many an hour", min_value=1, max_value=10_000_000, required=False,
        widget=widgets.IntegerInput, help_text="Blank: as fast as Messaging takes them.",
    )  # fmt: skip

    @property
    def is_repeating(self) -> bool:
        return self.campaign is not None and self.campaign.type == CampaignType.RECURRING

    def prepare(self) -> None:
        for name in ONCE if self.is_repeating else AGAIN:
            del self.fields[name]
        self.scheduled_at: datetime | None = None
        self.ends_at: datetime | None = None

    def held(self, campaign: Campaign) -> dict[str, Any]:
        zone = campaign.timezone or "UTC"
        if campaign.timezone == "UTC" and campaign.scheduled_at is None:
            zone = Tenant.objects.get(pk=require_tenant_id()).time_zone
        start = _local(campaign.scheduled_at, zone)
        pace = {
            "quiet_hours_policy": campaign.quiet_hours_policy,
            "messages_per_hour": campaign.messages_per_hour,
        }
        if not self.is_repeating:
            return pace | {
                "timezone": zone,
                "when": AT_A_TIME if start else BY_HAND,
                "send_on": start and start.date().isoformat(),
                "send_at": start and f"{start:%H:%M}",
            }
        end, rhythm = _local(campaign.recur_end_at, zone), to_rhythm(campaign.recur_pattern or "")
        held = pace | {
            "timezone": zone,
            "start_on": start and start.date().isoformat(),
            "end_on": end and end.date().isoformat(),
        }
        if not campaign.recur_pattern:
            return held
        return held | {
            "repeats": rhythm.repeats,
            "weekdays": [str(day) for day in rhythm.weekdays],
            "day": rhythm.day,
            "at": f"{rhythm.at:%H:%M}",
            "pattern": rhythm.pattern,
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "timezone" not in values:
            return values
        if self.is_repeating:
            self._clean_rhythm(values)
        elif values.get("when") == AT_A_TIME:
            self._clean_time(values)
        return values

    def values(self) -> dict[str, Any]:
        chosen = {
            "timezone": self.cleaned_data["timezone"],
            "scheduled_at": self.scheduled_at,
            "quiet_hours_policy": self.cleaned_data["quiet_hours_policy"] or QuietHoursPolicy.WAIT,
            "messages_per_hour": self.cleaned_data["messages_per_hour"],
        }
        if not self.is_repeating:
            return chosen
        return chosen | {
            "recur_pattern": self.cleaned_data["recur_pattern"],
            "recur_end_at": self.ends_at,
        }

    def _clean_time(self, values: dict[str, Any]) -> None:
        for name in ("send_on", "send_at"):
            if values.get(name) is None and name not in self.errors:
                self.add_error(name, "Say when, or start it by hand.")
        if self.errors:
            return
        try:
            moment = moment_in(values["send_on"], values["send_at"], values["timezone"])
        except ValidationError as error:
            self.add_error("send_at", error)
            return
        if moment <= timezone.now():
            self.add_error("send_on", "That time is past; choose a later one.")
        self.scheduled_at = moment

    def _clean_rhythm(self, values: dict[str, Any]) -> None:
        repeats = Repeats(values.get("repeats") or Repeats.WEEKLY)
        if repeats == Repeats.WEEKLY and not values.get("weekdays"):
            self.add_error("weekdays", "Choose at least one day.")
        if repeats != Repeats.PATTERN and values.get("at") is None and "at" not in self.errors:
            self.add_error("at", "Say at what time.")
        if self.errors:
            return
        rhythm = Rhythm(
            repeats=repeats,
            at=values.get("at") or time(9),
            weekdays=[int(day) for day in values.get("weekdays") or []],
            day=values.get("day") or "1",
            pattern=(values.get("pattern") or "").strip(),
        )
        values["recur_pattern"] = to_pattern(rhythm)
        where = "pattern" if repeats == Repeats.PATTERN else "repeats"
        try:
            check_pattern(values["recur_pattern"], values["timezone"])
        except RecurrenceError as error:
            self.add_error(where, error.message)
        self._clean_span(values)

    def _clean_span(self, values: dict[str, Any]) -> None:
        zone = ZoneInfo(values["timezone"])
        start, end = values.get("start_on"), values.get("end_on")
        self.scheduled_at = datetime.combine(start, time(), tzinfo=zone) if start else None
        self.ends_at = datetime.combine(end, time(23, 59, 59), tzinfo=zone) if end else None
        if self.ends_at and self.ends_at <= (self.scheduled_at or timezone.now()):
            self.add_error("end_on", "The end must come after the start, and is not past.")
        elif self.scheduled_at and self.scheduled_at <= timezone.now():
            # Today counts from now on.
            self.scheduled_at = None


def _local(moment: datetime | None, zone: str) -> datetime | None:
    return moment.astimezone(ZoneInfo(zone)) if moment else None
