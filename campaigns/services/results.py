"""A campaign's results: added up now and then, so that reading them costs nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from campaigns.choices import CampaignInteractionType, CampaignStatus
from campaigns.models import Campaign, CampaignInteraction, CampaignResults
from campaigns.models.campaign import COUNTERS
from campaigns.services.breakdowns import add_up_breakdowns
from campaigns.services.confidence import Group, Uplift, measure_uplift
from campaigns.services.conversions import attribute_conversions
from campaigns.services.statistics import reasons_of, rebuild_statistics, sent_by_run
from crm_site.db.timeouts import statement_timeout
from crm_site.tenancy.context import require_tenant_id

# A campaign of a million takes longer than a web request may.
TIMEOUT_SECONDS = 600
# While something happens to it, a campaign is added up at most so often.
BETWEEN = timedelta(minutes=1)
# While its goal may still be met and nothing else happens.
BETWEEN_GOALS = timedelta(minutes=15)
# Events of activities may come with the nightly files of another system.
LATE = timedelta(days=2)
WATCHED = (*COUNTERS[:8], "goal_activity_type", "goal_days", "goal_has_revenue")

# People by whether they were held out, and whether they met the goal after one of their messages,
# or after the moment when they would have had one.
GROUPS = """
WITH person AS (
    SELECT d.customer_id, d.state = 'SUPPRESSED' AS held_out,
           coalesce(d.first_requested_at, d.settled_at, d.created_at) AS moment
      FROM campaigns_delivery d
     WHERE d.campaign_id = %(campaign)s AND d.tenant_id = %(tenant)s
       AND (d.state = 'ACCEPTED' OR (d.state = 'SUPPRESSED' AND d.reason = 'HELD_OUT'))
), met AS (
    SELECT DISTINCT p.customer_id, p.held_out
      FROM person p JOIN customers_activity a
        ON a.customer_id = p.customer_id AND a.tenant_id = %(tenant)s AND a.type = %(type)s
       AND a.occurred_at > p.moment AND a.occurred_at <= p.moment + %(window)s
       AND a.occurred_at > %(started)s
)
SELECT count(DISTINCT customer_id) FILTER (WHERE NOT held_out),
       (SELECT count(*) FROM met WHERE NOT held_out),
       count(DISTINCT customer_id) FILTER (WHERE held_out),
       (SELECT count(*) FROM met WHERE held_out)
  FROM person
"""


def refresh_due_results(now: datetime) -> int:
    """Add up anew what changed in the tenant in scope. Returns the number of campaigns."""
    with transaction.atomic():
        due = [campaign.pk for campaign in _started() if _is_due(campaign, now)]
    for campaign_id in due:
        refresh_results(campaign_id)
    return len(due)


def refresh_results(campaign_id: UUID) -> CampaignResults:
    """Count one campaign from its rows: conversions, counters, breakdowns, the hold-out.

    Any number of times, by any number of workers: they take turns on the campaign's row.
    """
    with transaction.atomic(), statement_timeout(TIMEOUT_SECONDS):
        Campaign.objects.select_for_update().get(pk=campaign_id)
        attribute_conversions(campaign_id)
        rebuild_statistics(campaign_id)
        campaign = Campaign.objects.get(pk=campaign_id)
        add_up_breakdowns(campaign_id)
        results, _ = CampaignResults.objects.update_or_create(
            campaign_id=campaign_id,
            defaults={
                "counted_at": timezone.now(),
                "counted_from": _watched(campaign),
                "open_until": _open_until(campaign),
                "revenue": _revenue(campaign),
                "states": reasons_of(campaign_id),
                "sent_by_run": sent_by_run(campaign_id),
                **_groups(campaign),
            },
        )
    found: CampaignResults = results
    return found


def uplift_of(results: CampaignResults) -> Uplift | None:
    """What the campaign brought beyond what would have come anyway; None: too little to tell."""
    return measure_uplift(
        Group(results.reached_people, results.reached_converted),
        Group(results.held_out_people, results.held_out_converted),
    )


@dataclass(frozen=True)
class Ledger:
    """Deliveries by state and reason, and messages sent by run id."""

    states: dict[str, dict[str, int]]
    sent_by_run: dict[str, int]


def ledger_of(campaign: Campaign) -> Ledger:
    """What became of a campaign's messages: as kept once it is over, counted while it is not."""
    if campaign.status == CampaignStatus.COMPLETED:
        results = CampaignResults.objects.filter(campaign=campaign).first()
        if results and results.states and results.counted_from == _watched(campaign):
            return Ledger(results.states, results.sent_by_run)
    return Ledger(reasons_of(campaign.pk), sent_by_run(campaign.pk))


def _started() -> list[Campaign]:
    """Campaigns that could have changed: under way, never added up, or their numbers moved on."""
    campaigns = Campaign.objects.live().filter(started_at__isnull=False)
    return list(campaigns.select_related("results"))


def _is_due(campaign: Campaign, now: datetime) -> bool:
    results: CampaignResults | None = getattr(campaign, "results", None)
    if results is None:
        return True
    age = now - results.counted_at
    if age < BETWEEN:
        return False
    if results.counted_from != _watched(campaign):
        return True
    is_open = results.open_until is not None and results.counted_at <= results.open_until
    return bool(campaign.goal_activity_type) and is_open and age >= BETWEEN_GOALS


def _watched(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in WATCHED}


def _open_until(campaign: Campaign) -> datetime | None:
    if not campaign.goal_activity_type:
        return None
    last = campaign.deliveries.filter(state="ACCEPTED").aggregate(last=Max("settled_at"))["last"]
    return last + timedelta(days=campaign.goal_days) + LATE if last else None


def _revenue(campaign: Campaign) -> Any:
    if not campaign.goal_has_revenue:
        return None
    converted = CampaignInteraction.objects.filter(
        campaign=campaign, type=CampaignInteractionType.CONVERTED
    )
    return converted.aggregate(total=Sum("amount"))["total"]


def _groups(campaign: Campaign) -> dict[str, int]:
    names = ("reached_people", "reached_converted", "held_out_people", "held_out_converted")
    values: dict[str, Any] = {
        "campaign": campaign.pk,
        "tenant": require_tenant_id(),
        "type": campaign.goal_activity_type or "",
        "window": timedelta(days=campaign.goal_days),
        "started": campaign.started_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(GROUPS, values)
        return dict(zip(names, cursor.fetchone(), strict=True))
