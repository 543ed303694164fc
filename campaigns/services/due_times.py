"""When each person's message is due: at once, or when it is that time where they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from campaigns.choices import PassedHour
from campaigns.models import Campaign, CampaignRun
from campaigns.services.quiet_hours import all_zones
from crm_site.tenancy.models import Tenant

# The first clock of the world, on Kiritimati.
FIRST_ZONE = timezone(timedelta(hours=14))


@dataclass(frozen=True)
class DueTimes:
    """For a snapshot: ``dues`` by zone name, and ``planned`` for whoever has none of them.

    Nothing planned is due at once. Who was due before ``skip_before`` is left out.
    """

    zones: Sequence[str] = ()
    dues: Sequence[datetime] = field(default=())
    planned: datetime | None = None
    skip_before: datetime | None = None


AT_ONCE = DueTimes()


def due_times(*, run: CampaignRun, campaign: Campaign, tenant: Tenant, now: datetime) -> DueTimes:
    """When the people of a run are due.

    By each person's own clock, somebody whose hour passed within the campaign's limit is still
    sent to at once; beyond it the campaign's choice holds.
    """
    if run.released_at is not None:
        return DueTimes(planned=run.released_at)
    if not campaign.send_in_own_zone:
        return AT_ONCE
    zones = all_zones()
    at = run.occurrence_at
    is_skipping = campaign.passed_hour == PassedHour.SKIP
    return DueTimes(
        zones,
        [same_clock(at, campaign.timezone, zone) for zone in zones],
        same_clock(at, campaign.timezone, tenant.time_zone),
        now - campaign.late_limit if is_skipping else None,
    )


def same_clock(moment: datetime, zone: str | None, there: str) -> datetime:
    """When clocks ``there`` show what those of ``zone`` show at ``moment``, in UTC.

    A time that clocks there skip comes as much later as they skip; one they repeat is the first.
    """
    local = moment.astimezone(ZoneInfo(zone or "UTC"))
    return local.replace(tzinfo=ZoneInfo(there), fold=0).astimezone(UTC)


def opens_at(campaign: Campaign, occurrence_at: datetime) -> datetime:
    """When a run's recipients are written down: at its time, or when it is first that time
    anywhere."""
    if not campaign.send_in_own_zone:
        return occurrence_at
    local = occurrence_at.astimezone(ZoneInfo(campaign.timezone or "UTC"))
    return local.replace(tzinfo=FIRST_ZONE).astimezone(UTC)
