"""A campaign's figures by channel, tier, segment, hour …, added up from its rows in few statements.

A figure counts messages, like the campaign's counters; one of several segments, devices or links
counts in each. What is known of no message (an event that names the campaign only) counts its
person, as the counters do.
"""

from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.choices import Dimension
from campaigns.models import CampaignBreakdown
from crm_site.tenancy.context import require_tenant_id

# The first three days hour by hour; what comes later is in the last.
LAST_HOUR = 72
MOST_LINKS = 50

# One row per message: where it belongs, and what happened to it at all.
MESSAGES = """
WITH happened AS (
    SELECT coalesce(i.delivery_id, i.customer_id) AS unit, min(i.channel) AS channel,
           (array_agg(i.customer_id))[1] AS customer_id,
           bool_or(i.type = 'DELIVERED') AS delivered, bool_or(i.type = 'OPENED') AS opened,
           bool_or(i.type = 'CLICKED') AS clicked, bool_or(i.type = 'CONVERTED') AS converted,
           bool_or(i.type = 'UNSUBSCRIBED') AS unsubscribed,
           bool_or(i.type = 'BOUNCED') AS bounced,
           sum(i.amount) FILTER (WHERE i.type = 'CONVERTED') AS revenue
      FROM campaigns_campaigninteraction i
     WHERE i.campaign_id = %(campaign)s AND i.tenant_id = %(tenant)s
     GROUP BY 1
), sent AS (
    SELECT d.id AS unit, d.channel, d.customer_id, d.template_id, d.variant_id
      FROM campaigns_delivery d
     WHERE d.campaign_id = %(campaign)s AND d.tenant_id = %(tenant)s AND d.state = 'ACCEPTED'
), message AS (
    SELECT coalesce(s.channel, h.channel) AS channel, s.template_id, s.variant_id,
           coalesce(s.customer_id, h.customer_id) AS customer_id, s.unit IS NOT NULL AS sent,
           h.delivered, h.opened, h.clicked, h.converted, h.unsubscribed, h.bounced, h.revenue
      FROM sent s FULL JOIN happened h USING (unit)
)
"""
FIGURES = """
count(*) FILTER (WHERE m.sent), count(*) FILTER (WHERE m.delivered),
count(*) FILTER (WHERE m.opened), count(*) FILTER (WHERE m.clicked),
count(*) FILTER (WHERE m.converted), count(*) FILTER (WHERE m.unsubscribed),
count(*) FILTER (WHERE m.bounced), sum(m.revenue)
"""
INTO = """
INSERT INTO campaigns_campaignbreakdown
       (id, tenant_id, campaign_id, dimension, value,
        sent, delivered, opened, clicked, converted, unsubscribed, bounced, revenue)
"""
BY_MESSAGE = f"""
{INTO} {MESSAGES}
SELECT gen_random_uuid(), %(tenant)s, %(campaign)s,
       CASE WHEN GROUPING(m.channel) = 0 THEN 'CHANNEL'
            WHEN GROUPING(m.template_id) = 0 THEN 'TEMPLATE'
            WHEN GROUPING(m.variant_id) = 0 THEN 'VARIANT' ELSE 'TIER' END,
       coalesce(CASE WHEN GROUPING(m.channel) = 0 THEN m.channel
                     WHEN GROUPING(m.template_id) = 0 THEN m.template_id
                     WHEN GROUPING(m.variant_id) = 0 THEN m.variant_id::text
                     ELSE p.membership_tier END, ''),
       {FIGURES}
  FROM message m JOIN customers_customerprofile p ON p.id = m.customer_id
 GROUP BY GROUPING SETS
       ((m.channel), (m.template_id), (m.variant_id), (p.membership_tier))
"""  # noqa: S608 - our own text
# Who is in it today. The campaign's segments, and those every club has.
BY_SEGMENT = f"""
{INTO} {MESSAGES}
SELECT gen_random_uuid(), %(tenant)s, %(campaign)s, 'SEGMENT', s.id::text, {FIGURES}
  FROM message m
  JOIN segments_customersegmentmembership b
    ON b.customer_id = m.customer_id AND b.tenant_id = %(tenant)s
  JOIN segments_customersegment s ON s.id = b.segment_id AND s.deleted_at IS NULL
   AND (s.is_system OR s.id IN (
        SELECT segment_id FROM campaigns_campaign WHERE id = %(campaign)s
        UNION SELECT segment_id FROM campaigns_campaignsegment
         WHERE campaign_id = %(campaign)s))
 GROUP BY s.id
"""  # noqa: S608 - our own text
# Opens and clicks say with what; a message read on two devices counts for both.
BY_DEVICE = f"""
{INTO}
SELECT gen_random_uuid(), %(tenant)s, %(campaign)s, 'DEVICE', coalesce(device_type, ''), 0, 0,
       count(DISTINCT unit) FILTER (WHERE type = 'OPENED'),
       count(DISTINCT unit) FILTER (WHERE type = 'CLICKED'), 0, 0, 0, NULL
  FROM (SELECT device_type, type, coalesce(delivery_id, customer_id) AS unit
          FROM campaigns_campaigninteraction
         WHERE campaign_id = %(campaign)s AND tenant_id = %(tenant)s
           AND type IN ('OPENED', 'CLICKED')) AS i
 GROUP BY 5
"""  # noqa: S608 - our own text
BY_LINK = f"""
{INTO}
SELECT gen_random_uuid(), %(tenant)s, %(campaign)s, 'LINK', link_url, 0, 0, 0,
       count(DISTINCT coalesce(delivery_id, customer_id)), 0, 0, 0, NULL
  FROM campaigns_campaigninteraction
 WHERE campaign_id = %(campaign)s AND tenant_id = %(tenant)s
   AND type = 'CLICKED' AND link_url IS NOT NULL
 GROUP BY link_url ORDER BY 9 DESC, link_url LIMIT %(links)s
"""  # noqa: S608 - our own text
# When a message was first opened, clicked …: whole hours after its sending began.
BY_HOUR = f"""
{INTO}
SELECT gen_random_uuid(), %(tenant)s, %(campaign)s, 'HOUR', hour::text, 0,
       count(*) FILTER (WHERE type = 'DELIVERED'), count(*) FILTER (WHERE type = 'OPENED'),
       count(*) FILTER (WHERE type = 'CLICKED'), count(*) FILTER (WHERE type = 'CONVERTED'),
       count(*) FILTER (WHERE type = 'UNSUBSCRIBED'), count(*) FILTER (WHERE type = 'BOUNCED'),
       NULL
  FROM (SELECT i.type, least(%(last_hour)s, greatest(0, floor(extract(epoch FROM
                   min(i.occurred_at) - min(r.started_at)) / 3600)))::int AS hour
          FROM campaigns_campaigninteraction i
          JOIN campaigns_delivery d ON d.id = i.delivery_id
          JOIN campaigns_campaignrun r ON r.id = d.run_id AND r.started_at IS NOT NULL
         WHERE i.campaign_id = %(campaign)s AND i.tenant_id = %(tenant)s
         GROUP BY i.type, i.delivery_id) AS firsts
 GROUP BY hour
"""  # noqa: S608 - our own text


def add_up_breakdowns(campaign_id: UUID) -> None:
    """Replace a campaign's breakdowns. The caller holds the campaign's row."""
    CampaignBreakdown.objects.filter(campaign_id=campaign_id).delete()
    values: dict[str, Any] = {
        "campaign": campaign_id,
        "tenant": require_tenant_id(),
        "last_hour": LAST_HOUR,
        "links": MOST_LINKS,
    }
    with connection.cursor() as cursor:
        for statement in (BY_MESSAGE, BY_SEGMENT, BY_DEVICE, BY_LINK, BY_HOUR):
            cursor.execute(statement, values)


def breakdown(campaign_id: UUID, dimension: Dimension) -> list[CampaignBreakdown]:
    """One of a campaign's breakdowns, biggest first; hours in their order."""
    rows = list(CampaignBreakdown.objects.filter(campaign_id=campaign_id, dimension=dimension))
    if dimension == Dimension.HOUR:
        return sorted(rows, key=lambda row: int(row.value))
    return sorted(rows, key=lambda row: (-row.sent, -row.opened, -row.clicked, row.value))
