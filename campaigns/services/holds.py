"""Waiting when Messaging asks for it."""

from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Greatest

from campaigns.models import SendingHold
from crm_site.tenancy.context import require_tenant_id

LONGEST_HOLD = timedelta(days=1)  # A Retry-After beyond that is a mistake, not a wish.


def hold_until(moment: datetime, *, reason: str, now: datetime) -> None:
    """Send nothing more of this tenant before ``moment``; an earlier, longer wait stands."""
    until = min(moment, now + LONGEST_HOLD)
    hold, made = SendingHold.objects.get_or_create(
        tenant_id=require_tenant_id(), defaults={"until": until, "reason": reason}
    )
    if not made:
        SendingHold.objects.filter(pk=hold.pk).update(
            until=Greatest(F("until"), until), reason=reason
        )


def held_until(now: datetime) -> datetime | None:
    """When this tenant may send again; None if it may now."""
    return SendingHold.objects.filter(until__gt=now).values_list("until", flat=True).first()
