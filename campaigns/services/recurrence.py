"""When a campaign runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from campaigns.choices import CampaignType
from campaigns.models import Campaign
from crm_site.errors import DomainError

MOST_RUNS = 400  # More than a year of days.


class RecurrenceError(DomainError):
    """This pattern or zone says nothing."""

    code = "invalid"


def next_runs(campaign: Campaign, *, after: datetime, count: int) -> list[datetime]:
    """The next runs after a moment, in UTC, at most ``count``; works on a draft.

    A repeating campaign's come from its cron pattern, read by the clock of its zone: a time the
    clocks skip runs once at the next one there is, a time they repeat runs once. They start at
    ``scheduled_at`` and end at ``recur_end_at`` where set.
    """
    if campaign.type != CampaignType.RECURRING:
        at = campaign.scheduled_at
        return [at] if at is not None and at > after else []
    return list(islice(_occurrences(campaign, after), min(count, MOST_RUNS)))


def next_run(campaign: Campaign, *, after: datetime) -> datetime | None:
    return next(iter(next_runs(campaign, after=after, count=1)), None)


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


def _occurrences(campaign: Campaign, after: datetime) -> Iterator[datetime]:
    check_pattern(campaign.recur_pattern, campaign.timezone)
    start, end = after, campaign.recur_end_at
    if campaign.scheduled_at is not None and campaign.scheduled_at > start:
        # The first may fall on the start itself.
        start = datetime.fromtimestamp(campaign.scheduled_at.timestamp() - 1, tz=UTC)
    for local in CronSim(campaign.recur_pattern or "", start.astimezone(_zone(campaign.timezone))):
        moment = local.astimezone(UTC)
        if moment <= after:
            continue
        if end is not None and moment > end:
            return
        yield moment


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise RecurrenceError(
            f"“{name}” is not an IANA time zone such as Africa/Johannesburg.", path="timezone"
        ) from error
