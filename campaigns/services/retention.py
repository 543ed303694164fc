"""Forgetting what is personal about old interactions."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from crm_site.access.services import tenant_in_scope

BATCH_SIZE = 5_000

# Served by interaction_occurred.
FORGET = """
UPDATE campaigns_campaigninteraction
SET user_agent = NULL, ip_address = NULL, location = NULL
WHERE id IN (
    SELECT id FROM campaigns_campaigninteraction
    WHERE tenant_id = %s AND occurred_at < %s AND (user_agent IS NOT NULL
        OR ip_address IS NOT NULL OR location IS NOT NULL)
    LIMIT %s)
"""


def forget_old_details(*, now: datetime) -> int:
    """Blank user agent, IP address and place of interactions past the tenant's days for it.

    In batches, each its own transaction. Returns how many rows were blanked.
    """
    forgotten = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            tenant = tenant_in_scope()
            before = now - timedelta(days=tenant.interaction_detail_retention_days)
            cursor.execute(FORGET, [tenant.pk, before, BATCH_SIZE])
            changed = cursor.rowcount
        forgotten += changed
        if changed < BATCH_SIZE:
            return forgotten
