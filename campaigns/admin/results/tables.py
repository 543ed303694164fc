"""A campaign's breakdowns as tables whose numbers lead to people."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from campaigns.admin.results.links import people
from campaigns.choices import Dimension
from campaigns.models import Campaign, CampaignBreakdown, CampaignVariant
from campaigns.services.breakdowns import LAST_HOUR, breakdown
from campaigns.services.templates import list_templates
from crm_site.messaging.channels import Channel
from segments.models import CustomerSegment

COLUMNS = ("sent", "delivered", "opened", "clicked", "converted", "unsubscribed", "bounced")
# Of these, it is known only what people opened or clicked with or on.
KNOWN_OF = {Dimension.DEVICE: ("opened", "clicked"), Dimension.LINK: ("clicked",)}
TITLES = {
    Dimension.CHANNEL: "By channel",
    Dimension.TEMPLATE: "By template",
    Dimension.VARIANT: "By variant",
    Dimension.SEGMENT: "By segment",
    Dimension.TIER: "By membership",
    Dimension.DEVICE: "By device",
    Dimension.LINK: "Top links",
}
NOTES = {
    Dimension.SEGMENT: "Who is in it today; somebody in two segments counts in both.",
    Dimension.DEVICE: "A message read on two devices counts for both.",
}
BLANK = {
    Dimension.TIER: "No membership",
    Dimension.DEVICE: "Not known",
    Dimension.VARIANT: "Outside the test",
}
# With one row only these tell nothing that the whole does not.
NEED_TWO = (Dimension.CHANNEL, Dimension.TEMPLATE, Dimension.VARIANT)
MOST_ROWS = 12


@dataclass(frozen=True)
class Number:
    """One cell; ``share`` is of those delivered, None where that says nothing."""

    count: int
    url: str
    share: float | None = None


@dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[tuple[str, list[Number]]] = field(default_factory=list)
    note: str = ""


def tables(campaign: Campaign) -> list[Table]:
    """Every breakdown that has something to tell apart."""
    found = []
    for dimension, title in TITLES.items():
        rows = breakdown(campaign.pk, dimension)[:MOST_ROWS]
        if not rows or (len(rows) == 1 and dimension in NEED_TWO):
            continue
        columns = columns_of(campaign, dimension, rows)
        names = labels(dimension, rows)
        if dimension == Dimension.TEMPLATE:
            names |= {each.id: each.name for each in list_templates().templates}
        found.append(
            Table(
                title,
                [name.capitalize() for name in columns],
                [(names[row.value], _numbers(campaign, row, columns)) for row in rows],
                NOTES.get(dimension, ""),
            )
        )
    return found


def columns_of(
    campaign: Campaign, dimension: Dimension, rows: Sequence[CampaignBreakdown]
) -> list[str]:
    """Columns that mean something here; what nobody did is left out."""
    known = KNOWN_OF.get(dimension, COLUMNS)
    always = {"sent", "delivered", "opened", "clicked"}
    if campaign.goal_activity_type:
        always.add("converted")
    return [name for name in known if name in always or any(getattr(row, name) for row in rows)]


def labels(dimension: Dimension, rows: Sequence[CampaignBreakdown]) -> dict[str, str]:
    """What to call each value of a breakdown."""
    values = [row.value for row in rows]
    match dimension:
        case Dimension.CHANNEL:
            known = {each.value: str(each.label) for each in Channel}
        case Dimension.SEGMENT:
            segments = CustomerSegment.objects.filter(pk__in=values)
            known = {str(pk): name for pk, name in segments.values_list("pk", "name")}
        case Dimension.VARIANT:
            variants = CampaignVariant.objects.filter(pk__in=[each for each in values if each])
            known = {str(pk): name for pk, name in variants.values_list("pk", "name")}
        case Dimension.DEVICE:
            known = {value: value.capitalize() for value in values if value}
        case Dimension.HOUR:
            known = {value: _hour(int(value)) for value in values}
        case _:
            known = {}
    blank = BLANK.get(dimension, "–")
    return {value: known.get(value) or value or blank for value in values}


def _hour(hour: int) -> str:
    if hour >= LAST_HOUR:
        return f"After {LAST_HOUR} hours"
    return "First hour" if hour == 0 else f"Hour {hour + 1}"


def _numbers(campaign: Campaign, row: CampaignBreakdown, columns: Sequence[str]) -> list[Number]:
    by = {row.dimension.lower(): row.value}
    return [
        Number(
            count=getattr(row, name),
            url=people(campaign, name.upper(), **by),
            share=_share(row, name),
        )
        for name in columns
    ]


def _share(row: CampaignBreakdown, name: str) -> float | None:
    whole = row.sent if name in ("delivered", "bounced") else row.delivered
    is_step = name not in ("sent",) and row.dimension not in (Dimension.DEVICE, Dimension.LINK)
    return getattr(row, name) / whole if is_step and whole else None
