"""The few lines beside every step: who, what and when."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

from campaigns.choices import CampaignType, SegmentRole
from campaigns.models import Campaign
from campaigns.services.crowd import segments_of
from campaigns.services.patterns import describe
from campaigns.services.templates import list_templates
from crm_site.messaging.channels import Channel


@dataclass(frozen=True)
class Summary:
    """``who`` names the segments; ``what`` is a channel and its template each."""

    who: list[str]
    without: list[str]
    what: list[tuple[str, str]]
    when: str


def summary(campaign: Campaign) -> Summary:
    first = [campaign.segment.name] if campaign.segment else []
    further = [each.name for each in segments_of(campaign, SegmentRole.INCLUDE)]
    names = {each.id: each.name for each in list_templates().templates}
    chosen = [(Channel(each).label, campaign.template_for(each)) for each in campaign.channels]
    return Summary(
        who=first + further,
        without=[each.name for each in segments_of(campaign, SegmentRole.EXCLUDE)],
        what=[(label, names.get(id_ or "", id_ or "no template yet")) for label, id_ in chosen],
        when=when(campaign),
    )


def when(campaign: Campaign) -> str:
    zone = campaign.timezone or "UTC"
    clock = zone.replace("_", " ")
    if campaign.type == CampaignType.RECURRING:
        if not campaign.recur_pattern:
            return "Not said yet"
        until = ""
        if campaign.recur_end_at:
            until = f", until {_day(campaign.recur_end_at.astimezone(ZoneInfo(zone)))}"
        return f"{describe(campaign.recur_pattern)}{until} ({clock})"
    if campaign.scheduled_at is None:
        return "When you start it"
    local = campaign.scheduled_at.astimezone(ZoneInfo(zone))
    return f"{_day(local)} at {local:%H:%M} ({clock})"


def _day(moment: datetime) -> str:
    return date_format(moment, "l j F Y")
