"""How a campaign gets on while it sends."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count

from campaigns.choices import CampaignStatus, DeliveryState
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.services.variants import VariantResult, results_of_test
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Installation, Tenant

WINDOW = timedelta(seconds=30)
SHOWN_FAULTS = 3


@dataclass(frozen=True)
class TestProgress:
    """A run's test: how its variants do, and the winner once there is one."""

    run: CampaignRun
    variants: list[VariantResult]


@dataclass(frozen=True)
class Progress:
    """``per_second`` over the last half minute; ``left`` until what is due has gone, at that pace.

    ``left`` is None where nothing moves. ``faults``: what Messaging answered for messages that are
    being tried again, most frequent first. ``switched_off`` says who stopped it, blank if nobody.
    """

    per_second: float
    left: timedelta | None
    switched_off: str = ""
    faults: list[tuple[str, int]] = field(default_factory=list)
    tests: list[TestProgress] = field(default_factory=list)

    @property
    def left_text(self) -> str:
        """``left`` in words: 40 seconds, 12 minutes, 3 hours. Blank where nothing moves."""
        if self.left is None:
            return ""
        seconds = self.left.total_seconds()
        for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
            if seconds >= 2 * size or size == 1:
                count = max(1, round(seconds / size))
                return f"{count} {unit}{'s' if count > 1 else ''}"
        return ""


def progress_of(campaign: Campaign, now: datetime) -> Progress:
    """Of a campaign that was started; a few look-ups by index, whatever its size."""
    if campaign.status != CampaignStatus.ACTIVE:
        return Progress(0.0, None, tests=_tests(campaign))
    since = max(now - WINDOW, campaign.started_at or now)
    seconds = max((now - since).total_seconds(), 1.0)
    recent = Delivery.objects.filter(
        state=DeliveryState.ACCEPTED, settled_at__gt=since, campaign=campaign
    )
    per_second = recent.count() / seconds
    pace = (campaign.messages_per_hour or 0) / 3600 or per_second
    open_now = Delivery.objects.unsettled().filter(
        run__in=campaign.runs.unfinished(), due_at__lte=now
    )
    due = open_now.count() if pace else 0
    return Progress(
        per_second,
        timedelta(seconds=round(due / pace)) if due else None,
        _switched_off(),
        _faults(campaign),
        _tests(campaign),
    )


def _switched_off() -> str:
    installation = Installation.current()
    if not installation.is_sending_enabled:
        return f"Sending is switched off for every club. {installation.reason}".strip()
    if not Tenant.objects.get(pk=require_tenant_id()).is_sending_enabled:
        return "Sending is switched off in the club settings."
    return ""


def _faults(campaign: Campaign) -> list[tuple[str, int]]:
    rows = (
        Delivery.objects.unsettled()
        .filter(run__in=campaign.runs.unfinished(), failures__gt=0, error__isnull=False)
        .order_by()
        .values_list("error")
        .annotate(count=Count("pk"))
        .order_by("-count", "error")
    )
    return list(rows[:SHOWN_FAULTS])


def _tests(campaign: Campaign) -> list[TestProgress]:
    runs = campaign.runs.filter(decide_at__isnull=False).select_related("campaign", "winner")
    return [TestProgress(run, results_of_test(run)) for run in runs.order_by("-occurrence_at")[:1]]
