"""Going slowly: a campaign that sends at most so many messages an hour, evenly."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.models import CampaignRun
from crm_site.messaging.gateway import BATCH_LIMIT

HOUR = timedelta(hours=1)


@dataclass
class Pace:
    """How fast one run may go. Held by one worker at a time, until its transaction ends."""

    run: CampaignRun
    per_hour: int

    @classmethod
    def of(cls, run: CampaignRun) -> "Pace | None":
        """The pace of ``run``, whose row is locked with it; None for one that may hurry."""
        if not run.campaign.messages_per_hour:
            return None
        held = CampaignRun.objects.select_for_update().get(pk=run.pk)
        return cls(held, run.campaign.messages_per_hour)

    @property
    def batch(self) -> int:
        """How many at once: what a minute allows, so that no hour gets more than its number."""
        return min(max(1, self.per_hour // 60), BATCH_LIMIT)

    def is_due(self, now: datetime) -> bool:
        return self.run.next_claim_at is None or self.run.next_claim_at <= now

    def spend(self, count: int, now: datetime) -> None:
        """``count`` messages leave now; the next ones when those have had their time."""
        if count:
            CampaignRun.objects.filter(pk=self.run.pk).update(
                next_claim_at=now + HOUR * count / self.per_hour
            )
