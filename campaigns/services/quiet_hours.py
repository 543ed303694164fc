"""When somebody is not to be disturbed: the tenant's quiet hours in the person's own zone."""

from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from crm_site.tenancy.models import Tenant


def quiet_until(tenant: Tenant, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours end that hold at ``now`` in ``zone``; None when none hold.

    Hours that start in the evening and end in the morning lie over midnight.
    """
    start, end = tenant.quiet_hours_start, tenant.quiet_hours_end
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(_zone(zone))
    if not _is_within(local.time(), start, end):
        return None
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=local.tzinfo)


def quiet_zones(tenant: Tenant, now: datetime) -> dict[str, datetime | None]:
    """``quiet_until`` for every zone there is, for a statement to join; empty without any hours."""
    if tenant.quiet_hours_start is None or tenant.quiet_hours_end is None:
        return {}
    return {zone: quiet_until(tenant, zone, now) for zone in all_zones()}


def _is_within(moment: time, start: time, end: time) -> bool:
    if start < end:
        return start <= moment < end
    return moment >= start or moment < end


@cache
def all_zones() -> tuple[str, ...]:
    """The name of every zone there is."""
    return tuple(sorted(available_timezones()))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
