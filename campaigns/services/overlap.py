"""Who hears from the club anyway around the time of a campaign."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services.crowd import Crowd
from crm_site.tenancy.context import require_tenant_id

WITHIN = timedelta(days=2)
MOST_CAMPAIGNS = 20


@dataclass(frozen=True)
class Besides:
    """SQL for ``customer_id`` of everybody who hears besides, and the campaigns still to come."""

    statement: str
    values: dict[str, Any]
    names: tuple[str, ...]


def hear_besides(campaign: Campaign, *, at: datetime) -> Besides:
    """Who was written to, is being written to or will be, within two days of ``at``."""
    coming = _scheduled(campaign, at)
    runs = CampaignRun.objects.unfinished().exclude(campaign=campaign)
    parts = [
        "SELECT customer_id FROM campaigns_delivery WHERE tenant_id = %(tenant)s "
        "AND state = 'ACCEPTED' AND settled_at BETWEEN %(heard_from)s AND %(heard_until)s "
        "AND campaign_id IS DISTINCT FROM %(this_campaign)s",
        "SELECT customer_id FROM campaigns_delivery WHERE tenant_id = %(tenant)s "
        "AND run_id = ANY(%(open_runs)s::uuid[]) AND state IN ('PENDING', 'CLAIMED', 'UNKNOWN')",
    ]
    values: dict[str, Any] = {
        "tenant": require_tenant_id(),
        "this_campaign": campaign.pk,
        "heard_from": at - WITHIN,
        "heard_until": at + WITHIN,
        "open_runs": list(runs.values_list("pk", flat=True)),
    }
    for number, other in enumerate(coming):
        crowd = Crowd.of(other)
        parts.append(crowd.members(f"other_{number}_"))
        values |= crowd.values(f"other_{number}_")
    return Besides(" UNION ".join(parts), values, tuple(each.name for each in coming))


def _scheduled(campaign: Campaign, at: datetime) -> list[Campaign]:
    near = Campaign.objects.live().filter(
        status=CampaignStatus.SCHEDULED, scheduled_at__range=(at - WITHIN, at + WITHIN)
    )
    return list(near.exclude(pk=campaign.pk).order_by("scheduled_at")[:MOST_CAMPAIGNS])
