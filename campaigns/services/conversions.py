"""Who did, after a message, what the campaign was for.

A conversion is an activity of the goal's type by somebody reached, within the goal's days after the
message. An activity counts for the last message of the campaign before it, and a message counts
once: two messages before one booking make one conversion, and so do two bookings after one message
(where money is added up, both are in its amount).

Conversions are ``CampaignInteraction`` rows of type CONVERTED, so that counters, rules and the
API know them like an open. They follow from deliveries and activities and are worked out anew as
often as one likes.
"""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Min
from django.db.models.functions import Coalesce

from campaigns.choices import CampaignInteractionType, DeliveryState
from campaigns.models import Campaign, CampaignInteraction, Delivery
from campaigns.services.statistics import rebuild_statistics
from crm_site.tenancy.context import require_tenant_id

# What an activity was worth, in cents: payments say amount, bookings price.
WORTH = r"""
CASE WHEN coalesce(a.metadata ->> 'amount', a.metadata ->> 'price') ~ '^\d{1,12}(\.\d{1,4})?$'
     THEN coalesce(a.metadata ->> 'amount', a.metadata ->> 'price')::numeric END
"""
# Every message with the activity it counts for. The bounds let the index on types and times serve.
WANTED = f"""
WITH message AS (
    SELECT d.id, d.customer_id, d.channel, d.message_id,
           coalesce(d.first_requested_at, d.settled_at) AS sent_at
      FROM campaigns_delivery d
     WHERE d.campaign_id = %(campaign)s AND d.tenant_id = %(tenant)s AND d.state = 'ACCEPTED'
), attributed AS (
    SELECT DISTINCT ON (a.id)
           m.*, a.id AS activity_id, a.occurred_at, {WORTH} AS worth
      FROM message m
      JOIN customers_activity a ON a.customer_id = m.customer_id AND a.tenant_id = %(tenant)s
       AND a.type = %(type)s AND a.occurred_at > m.sent_at
       AND a.occurred_at <= m.sent_at + %(window)s
       AND a.occurred_at > %(first)s AND a.occurred_at <= %(last)s
     ORDER BY a.id, m.sent_at DESC, m.id
), wanted AS (
    SELECT DISTINCT ON (id)
           id, customer_id, channel, message_id, activity_id, occurred_at,
           CASE WHEN %(has_revenue)s THEN sum(worth) OVER (PARTITION BY id) END AS amount
      FROM attributed
     ORDER BY id, occurred_at, activity_id
)
"""  # noqa: S608 - our own expression
# An erased customer's activity no longer says what it was worth: what was counted stays.
UPSERT = f"""
{WANTED}
INSERT INTO campaigns_campaigninteraction AS known
       (id, tenant_id, campaign_id, customer_id, delivery_id, channel, type, message_id,
        source_event_id, activity_id, amount, occurred_at)
SELECT gen_random_uuid(), %(tenant)s, %(campaign)s, customer_id, id, channel, 'CONVERTED',
       message_id, 'conversion:' || id, activity_id, amount, occurred_at
  FROM wanted
    ON CONFLICT (tenant_id, source_event_id) WHERE source_event_id IS NOT NULL
    DO UPDATE SET activity_id = excluded.activity_id, occurred_at = excluded.occurred_at,
       amount = CASE WHEN %(has_revenue)s THEN coalesce(excluded.amount, known.amount) END
 WHERE (known.activity_id, known.occurred_at, known.amount) IS DISTINCT FROM
       (excluded.activity_id, excluded.occurred_at, excluded.amount)
RETURNING 1
"""  # noqa: S608 - our own text
REMOVE = f"""
{WANTED}
DELETE FROM campaigns_campaigninteraction known
 WHERE known.campaign_id = %(campaign)s AND known.type = 'CONVERTED'
   AND known.source_event_id LIKE 'conversion:%%'
   AND NOT EXISTS (SELECT 1 FROM wanted WHERE wanted.id = known.delivery_id)
RETURNING 1
"""  # noqa: S608 - our own text


@transaction.atomic
def attribute_conversions(campaign_id: UUID) -> int:
    """Bring a campaign's conversions and their counter into line with what people did.

    Returns how many rows changed; run again without news, none. Without a goal there are none.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    changed = _attribute(campaign) if campaign.goal_activity_type else _forget(campaign)
    if changed:
        rebuild_statistics(campaign_id)
    return changed


def _attribute(campaign: Campaign) -> int:
    sent = Delivery.objects.filter(campaign=campaign, state=DeliveryState.ACCEPTED)
    bounds = sent.annotate(sent_at=Coalesce("first_requested_at", "settled_at")).aggregate(
        first=Min("sent_at"), last=Max("sent_at")
    )
    if bounds["first"] is None:
        return _forget(campaign)
    window = timedelta(days=campaign.goal_days)
    values = {
        "campaign": campaign.pk,
        "tenant": require_tenant_id(),
        "type": campaign.goal_activity_type,
        "window": window,
        "has_revenue": campaign.goal_has_revenue,
        "first": bounds["first"],
        "last": bounds["last"] + window,
    }
    with connection.cursor() as cursor:
        cursor.execute(REMOVE, values)
        removed = cursor.rowcount
        cursor.execute(UPSERT, values)
        return removed + cursor.rowcount


def _forget(campaign: Campaign) -> int:
    ours = CampaignInteraction.objects.filter(
        campaign=campaign,
        type=CampaignInteractionType.CONVERTED,
        source_event_id__startswith="conversion:",
    )
    return ours.delete()[0]
