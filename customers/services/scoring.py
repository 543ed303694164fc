"""How engaged a customer is, and how likely to leave: two scores a person can explain.

Both count deeds of the customer's own (bookings, rounds, competitions, payments, messages opened
and clicked) and never what the club did to them, such as a message sent. A score is a sum of parts,
each with a most it can give; ``explain_scores`` shows the parts of one customer.

Engagement, 0 to 100
    recency     40, less 1/180 for each day since the last deed
    frequency   40, a twelfth for each booking, round, competition or payment in 90 days
    attention   20, a quarter for each opened or clicked message in 90 days
Churn risk, 0 to 100, for who plays, pays or is a member; null for others and who has left already
    silence     45, growing from 30 days since the last deed to 180
    slowing     30, the share by which 90 days fell short of the 90 before, from three deeds on
    membership  25 once it has expired, 15 within 30 days of it, 8 within 60
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from crm_site.tenancy.context import require_tenant_id

# A million customers take longer than a web request may.
TIMEOUT_SECONDS = 900

PARTS = """
WITH deeds AS (
    SELECT customer_id, max(occurred_at) AS last_at,
        count(*) FILTER (WHERE category <> 'ENGAGEMENT'
            AND occurred_at > %(now)s - interval '90 days') AS recent,
        count(*) FILTER (WHERE category <> 'ENGAGEMENT'
            AND occurred_at <= %(now)s - interval '90 days'
            AND occurred_at > %(now)s - interval '180 days') AS before,
        count(*) FILTER (WHERE category = 'ENGAGEMENT'
            AND occurred_at > %(now)s - interval '90 days') AS attentions
    FROM customers_activity
    WHERE tenant_id = %(tenant)s AND category IN ('BOOKING', 'GOLF', 'FINANCIAL', 'ENGAGEMENT')
        AND occurred_at > %(now)s - interval '365 days' AND occurred_at <= %(now)s {only_activity}
    GROUP BY customer_id
), facts AS (
    SELECT p.id, p.lifecycle_stage, p.membership_expiry - %(now)s::date AS days_left,
        extract(epoch FROM %(now)s - d.last_at) / 86400 AS idle_days,
        coalesce(d.recent, 0) AS recent, coalesce(d.before, 0) AS before,
        coalesce(d.attentions, 0) AS attentions,
        p.membership_tier IS NOT NULL OR coalesce(d.recent, 0) + coalesce(d.before, 0) > 0
            AS has_something_to_lose
    FROM customers_customerprofile p LEFT JOIN deeds d ON d.customer_id = p.id
    WHERE p.tenant_id = %(tenant)s AND p.deleted_at IS NULL AND p.merged_at IS NULL {only_profile}
), parts AS (
    SELECT id, lifecycle_stage <> 'CHURNED' AND has_something_to_lose AS can_churn,
        round(40 * greatest(0, 1 - coalesce(idle_days, 180) / 180))::int AS recency,
        round(40 * least(1, recent / 12.0))::int AS frequency,
        round(20 * least(1, attentions / 4.0))::int AS attention,
        round(45 * least(1, greatest(0, coalesce(idle_days, 180) - 30) / 150))::int AS silence,
        CASE WHEN before >= 3
            THEN round(30 * greatest(0, 1 - recent / before::numeric))::int ELSE 0 END AS slowing,
        CASE WHEN days_left < 0 THEN 25 WHEN days_left <= 30 THEN 15 WHEN days_left <= 60 THEN 8
            ELSE 0 END AS membership
    FROM facts
)
"""

WRITE_CHANGED = """
UPDATE customers_customerprofile p
SET engagement_score = s.engagement,
    engagement_score_at = CASE WHEN p.engagement_score IS DISTINCT FROM s.engagement
        THEN %(now)s ELSE p.engagement_score_at END,
    churn_risk_score = s.churn_risk,
    churn_risk_score_at = CASE WHEN p.churn_risk_score IS DISTINCT FROM s.churn_risk
        THEN %(now)s ELSE p.churn_risk_score_at END
FROM (
    SELECT id, recency + frequency + attention AS engagement,
        CASE WHEN can_churn THEN silence + slowing + membership END AS churn_risk
    FROM parts
) s
WHERE p.id = s.id AND p.tenant_id = %(tenant)s
    AND (p.engagement_score, p.churn_risk_score) IS DISTINCT FROM (s.engagement, s.churn_risk)
"""

EXPLAIN = """
SELECT recency, frequency, attention, silence, slowing, membership, can_churn FROM parts
"""


@dataclass(frozen=True)
class ScoreParts:
    """What one customer's scores are made of; see the head of this module."""

    recency: int
    frequency: int
    attention: int
    silence: int
    slowing: int
    membership: int
    can_churn: bool

    @property
    def engagement(self) -> int:
        return self.recency + self.frequency + self.attention

    @property
    def churn_risk(self) -> int | None:
        """None for somebody with nothing to leave, or who has left."""
        return self.silence + self.slowing + self.membership if self.can_churn else None


def score_customers(*, now: datetime) -> int:
    """Renew both scores of everybody in the tenant in scope. Returns how many changed.

    Two passes of set-based SQL; rows whose scores stay are not written, so ``…ScoreAt`` says when a
    score last changed.
    """
    statement = PARTS.format(only_activity="", only_profile="") + WRITE_CHANGED
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
        cursor.execute(statement, {"tenant": require_tenant_id(), "now": now})
        return int(cursor.rowcount)


def explain_scores(*, customer_id: UUID, now: datetime) -> ScoreParts | None:
    """The parts of one customer's scores as of ``now``; None if there is no such live customer."""
    parts = PARTS.format(
        only_activity="AND customer_id = %(customer)s", only_profile="AND p.id = %(customer)s"
    )
    values: dict[str, Any] = {"tenant": require_tenant_id(), "now": now, "customer": customer_id}
    with connection.cursor() as cursor:
        cursor.execute(parts + EXPLAIN, values)
        row = cursor.fetchone()
    return ScoreParts(*row) if row else None
