"""What a template may say about its reader.

The names are part of what marketers write into templates, so they only ever grow; docs/sending.md
lists them.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from campaigns.models import Campaign
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant

# SQL by name, over the customer as ``p`` and the campaign's club as ``club``.
VARIABLES = {
    "firstName": "coalesce(p.first_name, '')",
    "lastName": "coalesce(p.last_name, '')",
    "membershipTier": "coalesce(p.membership_tier, '')",
    "membershipExpiry": "coalesce(p.membership_expiry::text, '')",
    "handicap": "coalesce(p.handicap::text, '')",
    "homeClubName": "coalesce(p.home_club_name, '')",
    "clubName": "coalesce(club.name, %(club_name)s)",
}
VARIABLES_SQL = (
    "jsonb_build_object(" + ", ".join(f"'{name}', {sql}" for name, sql in VARIABLES.items()) + ")"
)
# For a look at a template when there is nobody to look at it for.
EXAMPLES = {
    "firstName": "Alex",
    "lastName": "Example",
    "membershipTier": "Gold",
    "membershipExpiry": "2030-12-31",
    "handicap": "14.2",
    "homeClubName": "Your club",
    "clubName": "Your club",
}


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Which of a template's variables we have nothing to say for."""
    return sorted(set(names) - set(VARIABLES))


def variables_for(campaign: Campaign, customer_id: UUID | None) -> dict[str, str]:
    """What a template would say to a customer of the tenant in scope; examples for nobody."""
    club_name = Tenant.objects.get(pk=require_tenant_id()).name
    statement = (
        f"SELECT {VARIABLES_SQL} FROM customers_customerprofile p "  # noqa: S608 - our own names
        "LEFT JOIN tenancy_club club ON club.id = %(club)s "
        "WHERE p.tenant_id = %(tenant)s AND p.id = %(customer)s AND p.deleted_at IS NULL"
    )
    values = {
        "club_name": club_name,
        "club": campaign.club_id,
        "tenant": require_tenant_id(),
        "customer": customer_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        return EXAMPLES | {"clubName": club_name}
    found: dict[str, str] = json.loads(row[0])
    return found
