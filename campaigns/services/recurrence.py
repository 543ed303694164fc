"""When a campaign runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field as CronField

from campaigns.choices import CampaignType, RunStatus
from campaigns.models import Campaign
from crm_site.errors import DomainError

MOST_RUNS = 400  # More than a year of days.


class RecurrenceError(DomainError):
    """This pattern or zone says nothing."""

    code = "invalid"


@dataclass(frozen=True)
class PlannedRun:
    """``at`` in UTC, ``local`` by the campaign's clock. ``clock_change``: minutes by which the
    clocks move on that day, 0 on nearly all.
    """

    at: datetime
    local: datetime
    is_skipped: bool
    clock_change: int


def next_runs(campaign: Campaign, *, after: datetime, count: int) -> list[datetime]:
    """The next runs after a moment, in UTC, at most ``count``; works on a draft.

    A repeating campaign's come from its cron pattern, read by the clock of its zone: a time the
    clocks skip runs once at the next one there is, a time they repeat runs once. They start at
    ``scheduled_at`` and end at ``recur_end_at`` where set; those that somebody skipped are left
    out.
    """
    if campaign.type != CampaignType.RECURRING:
        at = campaign.scheduled_at
        return [at] if at is not None and at > after else []
    skipped = skipped_runs(campaign, after=after)
    runs = (at for at in occurrences(campaign, after=after) if at not in skipped)
    return list(islice(runs, min(count, MOST_RUNS)))


def plan_runs(campaign: Campaign, *, after: datetime, count: int) -> list[PlannedRun]:
    """The same with those that were skipped, for people to look at."""
    skipped = set[datetime]()
    if campaign.type != CampaignType.RECURRING:
        runs = next_runs(campaign, after=after, count=count)
    else:
        skipped = skipped_runs(campaign, after=after)
        runs = list(islice(occurrences(campaign, after=after), min(count, MOST_RUNS)))
    zone = _zone(campaign.timezone)
    return [_planned(at, zone, is_skipped=at in skipped) for at in runs]


def next_run(campaign: Campaign, *, after: datetime) -> datetime | None:
    return next(iter(next_runs(campaign, after=after, count=1)), None)


def skipped_runs(campaign: Campaign, *, after: datetime) -> set[datetime]:
    """Occurrences after a moment that somebody took out."""
    if campaign._state.adding:
        return set()
    rows = campaign.runs.filter(status=RunStatus.SKIPPED, occurrence_at__gt=after)
    return set(rows.values_list("occurrence_at", flat=True))


def check_pattern(pattern: str | None, zone: str | None) -> None:
    """Raises RecurrenceError for a pattern that cannot be read or never comes."""
    if not pattern:
        raise RecurrenceError("Say when it repeats, as in 0 9 * * 1.", path="recur_pattern")
    start = datetime(2024, 1, 1, tzinfo=_zone(zone))
    try:
        # Five fields: CronSim would take a sixth for seconds.
        if len(pattern.split()) != 5:
            raise CronSimError("five fields, please")
        next(CronSim(pattern, start))
    except CronSimError as error:
        raise RecurrenceError(
            f"“{pattern}” is not minute, hour, day, month and weekday, as in 0 9 * * 1 ({error}).",
            path="recur_pattern",
        ) from error
    except StopIteration as error:
        raise RecurrenceError(f"“{pattern}” never comes.", path="recur_pattern") from error


def occurrences(campaign: Campaign, *, after: datetime) -> Iterator[datetime]:
    """Every time its pattern gives after a moment, in UTC, skipped ones and all."""
    check_pattern(campaign.recur_pattern, campaign.timezone)
    start, end = after, campaign.recur_end_at
    if campaign.scheduled_at is not None and campaign.scheduled_at > start:
        # The first may fall on the start itself.
        start = campaign.scheduled_at - timedelta(seconds=1)
    pattern = _by_the_clock(campaign.recur_pattern or "")
    for local in CronSim(pattern, start.astimezone(_zone(campaign.timezone))):
        moment = local.astimezone(UTC)
        if moment <= after:
            continue
        if end is not None and moment > end:
            return
        yield moment


def _by_the_clock(pattern: str) -> str:
    """“Every second hour” as the hours it names.

    CronSim runs patterns with a star for the hour by elapsed time: 0 */2 would skip a run on the
    night clocks go forward and make two of one when they go back.
    """
    minute, hour, *rest = pattern.split()
    if minute.startswith("*") or not hour.startswith("*/"):
        return pattern
    hours = sorted(CronField.HOUR.parse(hour))
    if len(hours) == 24:
        return pattern
    return " ".join([minute, ",".join(str(each) for each in hours), *rest])


def _planned(at: datetime, zone: ZoneInfo, *, is_skipped: bool) -> PlannedRun:
    local = at.astimezone(zone)
    midnight = datetime.combine(local.date(), time(), tzinfo=zone)
    offsets = [day.utcoffset() or timedelta() for day in (midnight, midnight + timedelta(days=1))]
    change = int((offsets[1] - offsets[0]).total_seconds() // 60)
    return PlannedRun(at, local, is_skipped, change)


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise RecurrenceError(
            f"“{name}” is not an IANA time zone such as Africa/Johannesburg.", path="timezone"
        ) from error
