"""What the customer page says about campaigns: what they got, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from campaigns.choices import CampaignInteractionType as Kind
from campaigns.choices import DeliveryReason, DeliveryState
from campaigns.models import Campaign, CampaignInteraction, Delivery
from crm_site.access.services import limit_to_grants
from customers.admin.panels import Panel, customer_panel
from customers.admin.timeline import Reference, timeline_references
from customers.models import CustomerProfile
from customers.services.timeline import Entry

SHOWN = 6
# What says most about a message comes first; what came of it before goes without saying.
TELLING = (
    (Kind.COMPLAINED, "red"),
    (Kind.UNSUBSCRIBED, "red"),
    (Kind.BOUNCED, "amber"),
    (Kind.CONVERTED, "green"),
    (Kind.REPLIED, "green"),
    (Kind.CLICKED, "green"),
    (Kind.OPENED, "green"),
    (Kind.DELIVERED, "plain"),
)


@dataclass(frozen=True)
class Line:
    """One message: which campaign, how, when, and the most telling thing that came of it."""

    name: str
    url: str
    channel: str
    at: datetime
    outcome: str
    tone: str


@customer_panel(permission="campaigns.view_delivery")
def campaigns_of(request: HttpRequest, customer: CustomerProfile) -> Panel:
    """The latest messages of campaigns, in two queries."""
    visible = limit_to_grants(Campaign.objects.all(), request.user)
    sent = Delivery.objects.filter(customer=customer, campaign__in=visible)
    rows = list(sent.select_related("campaign").order_by("-created_at", "-pk")[: SHOWN + 1])
    came = _came_of([row.pk for row in rows[:SHOWN]])
    context = {"lines": [_line(row, came[row.pk]) for row in rows[:SHOWN]]}
    body = render_to_string("campaigns/customer_panel.html", context, request=request)
    every = reverse("admin:campaigns_delivery_changelist")
    query = urlencode({"customer__id__exact": customer.pk})
    more = f"{every}?{query}" if len(rows) > SHOWN else ""
    return Panel(title="Campaigns", icon="campaign", body=body, more=more)


@timeline_references(permission="campaigns.view_campaign")
def campaigns_behind(request: HttpRequest, entries: Iterable[Entry]) -> dict[UUID, Reference]:
    """Which campaign a message on the timeline belongs to: one query."""
    found = {entry.id: pk for entry in entries if (pk := _campaign_id(entry.metadata))}
    if not found:
        return {}
    visible = limit_to_grants(Campaign.objects.all(), request.user)
    names = dict(visible.filter(pk__in=set(found.values())).values_list("pk", "name"))
    return {
        entry_id: Reference(names[pk], reverse("admin:campaigns_campaign_change", args=[pk]))
        for entry_id, pk in found.items()
        if pk in names
    }


def _campaign_id(data: Any) -> UUID | None:
    """Of an event of Messaging, as it came from outside."""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    given = metadata.get("campaignId") if isinstance(metadata, dict) else None
    try:
        return UUID(given)
    except (ValueError, TypeError, AttributeError):
        return None


def _came_of(delivery_ids: list[UUID]) -> dict[UUID, set[str]]:
    came: dict[UUID, set[str]] = defaultdict(set)
    rows = CampaignInteraction.objects.filter(delivery__in=delivery_ids)
    for delivery_id, kind in rows.values_list("delivery_id", "type").distinct():
        if delivery_id is not None:
            came[delivery_id].add(kind)
    return came


def _line(row: Delivery, came: set[str]) -> Line:
    outcome, tone = _outcome(row, came)
    return Line(
        name=str(row.campaign),
        url=reverse("admin:campaigns_campaign_change", args=[row.campaign_id]),
        channel=row.get_channel_display(),
        at=row.settled_at or row.created_at,
        outcome=outcome,
        tone=tone,
    )


def _outcome(row: Delivery, came: set[str]) -> tuple[str, str]:
    for kind, tone in TELLING:
        if kind in came:
            return kind.label, tone
    if row.state == DeliveryState.SUPPRESSED and row.reason in DeliveryReason.values:
        return f"{row.get_state_display()}: {DeliveryReason(row.reason).label.lower()}", "plain"
    return row.get_state_display(), "red" if row.state == DeliveryState.REJECTED else "plain"
