"""When segments refresh by themselves, and in which order."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from crm_site.audit.actor import Actor
from segments.choices import SegmentRefreshFrequency
from segments.models import CustomerSegment, SegmentRefresh
from segments.rules.references import mentioned_in
from segments.services.matching import tenant_clock
from segments.services.refreshing import recover_refreshes, request_refresh

# Between the last guests and the first staff: a window of the tenant's night.
NIGHT_STARTS, NIGHT_MINUTES = time(2), 180
SCHEDULER = Actor.system("segments.refresh_due")
# A waiting refresh is nudged again at each tick, in case its first nudge was lost.
NUDGED_AT_ONCE = 100


def next_refresh_at(
    frequency: str, segment_id: UUID, zone: ZoneInfo, after: datetime
) -> datetime | None:
    """The first scheduled moment after ``after``, in UTC; None where nobody asked for a schedule.

    A segment keeps its minute, which its id decides, so that many do not come at once. Daily and
    weekly ones come at night, weekly ones before Monday's work: once a local day, also on the
    days that have 23 or 25 hours.
    """
    spread = int.from_bytes(hashlib.sha256(segment_id.bytes).digest()[:4])
    match frequency:
        case SegmentRefreshFrequency.HOURLY:
            hour = after.replace(minute=0, second=0, microsecond=0)
            moment = hour + timedelta(minutes=spread % 60)
            return moment if moment > after else moment + timedelta(hours=1)
        case SegmentRefreshFrequency.DAILY:
            return _next_night(after, zone, spread, weekday=None)
        case SegmentRefreshFrequency.WEEKLY:
            return _next_night(after, zone, spread, weekday=0)
        case _:
            return None


def _next_night(after: datetime, zone: ZoneInfo, spread: int, weekday: int | None) -> datetime:
    day = after.astimezone(zone).date()
    while True:
        moment = _at_night(day, zone, spread % NIGHT_MINUTES)
        if moment > after and weekday in (None, day.weekday()):
            return moment
        day += timedelta(days=1)


def _at_night(day: date, zone: ZoneInfo, minutes: int) -> datetime:
    wall = datetime.combine(day, NIGHT_STARTS) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC)


@transaction.atomic
def queue_due(now: datetime) -> list[UUID]:
    """For the tenant in scope: queue what is due, and return the refreshes to run now.

    What a segment asks about is refreshed first: a refresh is held back while one waits or runs
    for a segment it uses.
    """
    recover_refreshes(now)
    zone = tenant_clock(now).zone
    for segment in CustomerSegment.objects.due(now).select_for_update(skip_locked=True):
        request_refresh(segment_id=segment.pk, actor=SCHEDULER, now=now)
        segment.next_refresh_at = next_refresh_at(
            segment.refresh_frequency, segment.pk, zone, after=now
        )
        segment.save(update_fields=["next_refresh_at"])
    return ready_refreshes()


def ready_refreshes() -> list[UUID]:
    """Waiting refreshes, oldest first, that need not wait for another."""
    unfinished = SegmentRefresh.objects.unfinished().select_related("segment")
    open_segments = {refresh.segment_id for refresh in unfinished}
    waiting = SegmentRefresh.objects.waiting().select_related("segment").order_by("requested_at")
    return [
        refresh.pk
        for refresh in waiting
        if not (mentioned_in(refresh.segment.criteria) & open_segments - {refresh.segment_id})
    ][:NUDGED_AT_ONCE]
