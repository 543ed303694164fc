"""How often a club lets somebody hear, and when it stops trying."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from campaigns.models import FrequencyCap
from crm_site.messaging.channels import Channel
from crm_site.tenancy.models import Tenant

# Only of e-mail is it known for certain whether somebody opens anything.
OPENS_ARE_KNOWN = Channel.EMAIL


@dataclass(frozen=True)
class Limit:
    """So many messages in so many days."""

    messages: int
    days: int


@dataclass(frozen=True)
class Limits:
    """``caps`` by channel; ``unengaged``: so many sent and none opened is enough."""

    caps: Mapping[str, Limit] = field(default_factory=dict)
    unengaged: Limit | None = None

    @property
    def windows(self) -> set[int]:
        """Every number of days that anything is counted over."""
        days = {cap.days for cap in self.caps.values()}
        return days | ({self.unengaged.days} if self.unengaged else set())


def limits_of(tenant: Tenant) -> Limits:
    """The limits of the tenant in scope: a channel's own cap, or else the club's."""
    caps = {}
    if tenant.frequency_cap_count:
        usual = Limit(tenant.frequency_cap_count, tenant.frequency_cap_days)
        caps = dict.fromkeys(Channel.values, usual)
    for cap in FrequencyCap.objects.all():
        caps.pop(cap.channel, None)
        if cap.messages:
            caps[cap.channel] = Limit(cap.messages, cap.days)
    count = tenant.unengaged_message_count
    return Limits(caps, Limit(count, tenant.unengaged_days) if count else None)
