"""Campaigns beside each other."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from campaigns.models import Campaign
from crm_site.errors import DomainError

FEWEST, MOST = 2, 5


class CompareError(DomainError):
    """These cannot be compared."""


def campaigns_to_compare(ids: Sequence[str], campaigns: Any) -> list[Campaign]:
    """Two to five started campaigns out of ``campaigns``, in the order asked for.

    Raises CompareError for another number of them, or one that is not there.
    """
    try:
        wanted = list(dict.fromkeys(UUID(each) for each in ids))
    except ValueError as error:
        raise CompareError("One of these is no campaign.", path="ids") from error
    if not FEWEST <= len(wanted) <= MOST:
        raise CompareError(f"Choose {FEWEST} to {MOST} campaigns.", path="ids")
    rows = campaigns.filter(pk__in=wanted, started_at__isnull=False).select_related("results")
    found = {row.pk: row for row in rows}
    if len(found) < len(wanted):
        raise CompareError("One of these is not there, or has not started yet.", path="ids")
    return [found[each] for each in wanted]
