"""What the campaign's page shows beside the form: the review before, the results after."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.results.links import people
from campaigns.admin.wizard.steps import step_of
from campaigns.choices import (
    CampaignInteractionType,
    CampaignStatus,
    DeliveryReason,
    DeliveryState,
)
from campaigns.models import Campaign, CampaignRun, SendingHold
from campaigns.services.preflight import Preflight, preflight
from campaigns.services.progress import progress_of
from campaigns.services.results import ledger_of
from crm_site.backoffice.options import LazyTab
from crm_site.messaging.channels import Channel

SHOWN_RUNS = 5
FUNNEL_WIDTH = 520


@dataclass(frozen=True)
class FunnelStep:
    """One bar: ``width`` in the SVG's units, ``rate`` of the step it is measured against."""

    label: str
    count: int
    width: float
    rate: float | None
    of: str
    url: str
    y: int


class ReviewTab(LazyTab):
    """Whom it would reach, why not the others, and what to mend first."""

    name = "review"
    title = "Review"
    template_name = "campaigns/review.html"

    def is_visible(self, request: HttpRequest) -> bool:
        return self.obj.status in (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)  # type: ignore[attr-defined]

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        campaign: Any = self.obj
        is_starting = campaign.scheduled_at is None
        found = preflight(campaign, now=timezone.now(), is_starting=is_starting)
        return {"campaign": campaign, **shown_preflight(campaign, found)}


def shown_preflight(campaign: Campaign, found: Preflight) -> dict[str, Any]:
    """A review as its page shows it: the counts channel by channel, and what to mend."""
    return {
        "preflight": found,
        "everybody_url": _people(campaign, "", ""),
        "channels": [
            {
                "label": Channel(each.channel).label,
                "reachable": each.reachable,
                "reached_url": _people(campaign, each.channel, ""),
                "left_out": [
                    (DeliveryReason(why).label, count, _people(campaign, each.channel, why))
                    for why, count in each.reasons.items()
                ],
            }
            for each in (found.reach.channels if found.reach else [])
        ],
        "findings": [{"finding": each, "step": step_of(each.path)} for each in found.findings],
    }


def _people(campaign: Campaign, channel: str, why: str) -> str:
    url = reverse("admin:campaigns_campaign_people", args=[campaign.pk])
    return f"{url}?{urlencode({'channel': channel, 'why': why})}"


def results(campaign: Campaign) -> dict[str, Any]:
    """How far it is, and what came of it so far. Every number carries the rows behind it."""
    ledger = ledger_of(campaign)
    states = ledger.states
    totals = {state: sum(reasons.values()) for state, reasons in states.items()}
    open_count = sum(totals.get(state, 0) for state in ("PENDING", "CLAIMED"))
    messages = sum(totals.values()) - totals.get("SUPPRESSED", 0)
    return {
        "campaign": campaign,
        "is_live": campaign.status == CampaignStatus.ACTIVE,
        "settled": messages - open_count,
        "messages": messages,
        "waiting": open_count,
        "unknown": totals.get("UNKNOWN", 0),
        "unknown_url": _deliveries(campaign, state="UNKNOWN"),
        "waiting_url": _deliveries(campaign, state="PENDING"),
        "progress": progress_of(campaign, timezone.now()),
        "hold": SendingHold.objects.filter(until__gt=timezone.now()).first(),
        "funnel": _funnel(campaign),
        "funnel_width": FUNNEL_WIDTH,
        "others": _others(campaign),
        "reasons": _reasons(campaign, states),
        "runs": _runs(campaign, ledger.sent_by_run),
        "runs_url": _list("campaignrun", campaign=campaign),
    }


def _funnel(campaign: Campaign) -> list[FunnelStep]:
    kind = CampaignInteractionType
    steps = [
        ("Sent", campaign.sent_count, None, "", _deliveries(campaign, state="ACCEPTED")),
        ("Delivered", campaign.delivered_count, campaign.delivery_rate, "sent",
         _responses(campaign, kind.DELIVERED)),
        ("Opened", campaign.opened_count, campaign.open_rate, "delivered",
         _responses(campaign, kind.OPENED)),
        ("Clicked", campaign.clicked_count, campaign.click_rate, "delivered",
         _responses(campaign, kind.CLICKED)),
        ("Converted", campaign.converted_count, campaign.conversion_rate, "delivered",
         _responses(campaign, kind.CONVERTED)),
    ]  # fmt: skip
    widest = max(count for _, count, *_ in steps) or 1
    return [
        FunnelStep(label, count, round(FUNNEL_WIDTH * count / widest, 1), rate, of, url, 34 * row)
        for row, (label, count, rate, of, url) in enumerate(steps)
    ]


def _others(campaign: Campaign) -> list[tuple[str, int, str]]:
    kind = CampaignInteractionType
    return [
        ("Unsubscribed", campaign.unsubscribed_count, _responses(campaign, kind.UNSUBSCRIBED)),
        ("Bounced", campaign.bounced_count, _responses(campaign, kind.BOUNCED)),
    ]


def _reasons(campaign: Campaign, states: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Why somebody did not hear, most frequent first."""
    rows = [
        {
            "state": DeliveryState(state).label,
            "reason": DeliveryReason(reason).label if reason in DeliveryReason.values else "–",
            "count": count,
            "url": _deliveries(campaign, state=state, **({"reason": reason} if reason else {})),
        }
        for state, reasons in states.items()
        if state not in (DeliveryState.ACCEPTED, DeliveryState.PENDING, DeliveryState.CLAIMED)
        for reason, count in reasons.items()
    ]
    return sorted(rows, key=lambda row: -row["count"])


def _runs(campaign: Campaign, sent: dict[str, int]) -> list[tuple[CampaignRun, int]]:
    """The latest runs, each with the messages it sent."""
    runs = campaign.runs.order_by("-occurrence_at")[:SHOWN_RUNS]
    return [(run, sent.get(str(run.pk), 0)) for run in runs]


def _deliveries(campaign: Campaign, **filters: str) -> str:
    return _list(
        "delivery", campaign, **{f"{name}__exact": value for name, value in filters.items()}
    )


def _responses(campaign: Campaign, type_: str) -> str:
    return people(campaign, str(type_))


def _list(model: str, campaign: Campaign, **query: str) -> str:
    url = reverse(f"admin:campaigns_{model}_changelist")
    return f"{url}?{urlencode({'campaign__id__exact': campaign.pk, **query})}"
