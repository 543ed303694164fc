"""Forgetting what is personal about old interactions."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from crm_site.tenancy.models import Tenant

BATCH_SIZE = 5_000


def forget_old_details(*, tenant: Tenant, now: datetime) -> int:
    """Blank user agent, IP address and place of the tenant's interactions past their days.

    In batches, each its own transaction. Returns how many rows were blanked.
    """
    before = now - timedelta(days=tenant.interaction_detail_retention_days)
    forgotten = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_campaigninteraction
                SET user_agent = NULL, ip_address = NULL, location = NULL
                WHERE id IN (
                    SELECT id FROM campaigns_campaigninteraction
                    WHERE tenant_id = %s AND occurred_at < %s AND (user_agent IS NOT NULL
                        OR ip_address IS NOT NULL OR location IS NOT NULL)
                    LIMIT %s)
                """,
                [tenant.pk, before, BATCH_SIZE],
            )
            changed = cursor.rowcount
        forgotten += changed
        if changed < BATCH_SIZE:
            return forgotten
