"""Values that the tenant really has, to offer while somebody writes a rule."""

from django.db import OperationalError
from django.db.models import F, Func

from crm_site.db.timeouts import statement_timeout
from customers.models import CustomerProfile
from segments.rules.fields import CUSTOMER_FIELDS

# Fields with few different values, none of which tells who somebody is.
OFFERED = (
    *("tags", "membershipTier", "membershipStatus", "city", "state", "country", "gender"),
    *("homeClubName", "handicapProvider", "lastActivityType", "timeZone"),
)
MOST, LIMIT_SECONDS = 200, 2


def values_of(field_name: str) -> list[str]:
    """Up to MOST different values of a field, in order; none for fields that are not offered."""
    if field_name not in OFFERED:
        return []
    column = CUSTOMER_FIELDS[field_name].column
    value = Func(F(column), function="unnest") if field_name == "tags" else F(column)
    rows = CustomerProfile.objects.live().annotate(offered=value).values_list("offered", flat=True)
    try:
        with statement_timeout(LIMIT_SECONDS):
            found = list(rows.distinct().order_by("offered")[:MOST])
    except OperationalError:
        return []
    return [text for text in found if text and text.strip()]
