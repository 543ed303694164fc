"""A campaign to which millions responded: its page, its results, the people behind a number."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from campaigns.choices import CampaignStatus, CampaignType, RunStatus
from campaigns.models import Campaign, CampaignInteraction, CampaignRun
from campaigns.services.results import refresh_results
from crm_site.devstack.bench.dataset import ACTOR, TENANT
from crm_site.devstack.bench.measuring import Page
from crm_site.devstack.bench.pages import page_of, signed_in
from crm_site.tenancy.context import tenant_scope

NAME = "Bench: everybody"
# Messages to each customer, so that scale 1 has ten million interactions.
RUNS = 4
MESSAGES = """
INSERT INTO campaigns_delivery
       (id, tenant_id, created_at, updated_at, campaign_id, run_id, customer_id, channel,
        template_id, idempotency_key, state, due_at, attempts, failures, settled_at,
        first_requested_at)
SELECT gen_random_uuid(), %(tenant)s, %(at)s, %(at)s, %(campaign)s, %(run)s, id, 'EMAIL', 'bench',
       %(run)s || ':' || id, 'ACCEPTED', %(at)s, 1, 0, %(at)s, %(at)s
  FROM customers_customerprofile WHERE tenant_id = %(tenant)s
"""
# Everybody gets it, half open it, some twice; one in ten clicks.
RESPONSES = """
INSERT INTO campaigns_campaigninteraction
       (id, tenant_id, campaign_id, customer_id, delivery_id, channel, type, device_type, link_url,
        occurred_at)
SELECT gen_random_uuid(), %(tenant)s, d.campaign_id, d.customer_id, d.id, 'EMAIL', k.type,
       CASE WHEN k.type <> 'DELIVERED' THEN (ARRAY['mobile', 'desktop'])[1 + k.chance %% 2] END,
       CASE WHEN k.type = 'CLICKED' THEN 'https://www.example.com/' || k.chance %% 7 END,
       d.settled_at + k.chance * interval '17 minutes'
  FROM campaigns_delivery d
  CROSS JOIN LATERAL (
       SELECT type, abs(hashtext(d.id::text || type || n::text)) %% 100 AS chance, most
         FROM (VALUES ('DELIVERED', 1, 100), ('OPENED', 1, 50), ('OPENED', 2, 50),
                      ('OPENED', 3, 40), ('CLICKED', 1, 10)) AS kind(type, n, most)) AS k
 WHERE d.run_id = %(run)s AND k.chance < k.most
"""


def response_pages(*, times: int) -> Iterator[Page]:
    """The campaign's pages, ``times`` requests each. Its rows are made the first time."""
    with tenant_scope(TENANT):
        campaign, responses = _ensure_responses()
    base = f"/{TENANT}/admin/campaigns/campaign/"
    one = f"{base}{campaign.pk}/"
    note = f"{responses / 1_000_000:.1f} M interactions"
    with signed_in() as client:
        yield page_of(client, "Campaign list", [base], times)
        yield page_of(client, f"Campaign page, {note}", [f"{one}change/"], times)
        yield page_of(client, "Its results", [f"{one}tab/results/"], times)
        yield page_of(client, "Who clicked", [f"{one}people/?step=CLICKED"], times)
        yield page_of(client, "The calendar", [f"{base}calendar/"], times)


def _ensure_responses() -> tuple[Campaign, int]:
    with transaction.atomic():
        campaign = Campaign.objects.filter(name=NAME).first()
        if campaign is None:
            campaign = _make()
    refresh_results(campaign.pk)
    with transaction.atomic():
        campaign.refresh_from_db()
        return campaign, CampaignInteraction.objects.filter(campaign=campaign).count()


def _make() -> Campaign:
    now = timezone.now()
    campaign: Campaign = Campaign.objects.create(
        name=NAME,
        type=CampaignType.RECURRING,
        status=CampaignStatus.COMPLETED,
        channels=["EMAIL"],
        started_at=now - timedelta(days=RUNS),
        completed_at=now,
        created_by=ACTOR.id,
    )
    for number in range(RUNS):
        at = now - timedelta(days=number + 1)
        run = CampaignRun.objects.create(
            campaign=campaign, occurrence_at=at, started_at=at, completed_at=now,
            status=RunStatus.COMPLETED, created_by=ACTOR.id,
        )  # fmt: skip
        values: dict[str, Any] = {
            "tenant": TENANT,
            "campaign": campaign.pk,
            "run": run.pk,
            "at": at,
        }
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(MESSAGES, values)
            cursor.execute(RESPONSES, values)
    return campaign
