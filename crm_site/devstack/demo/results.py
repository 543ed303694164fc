"""What came of a past campaign, as the events Messaging would have sent. Pure."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_site.devstack.demo.cloudevents import Event, cloud_event
from crm_site.devstack.demo.plans import CampaignPlan, Reception

DEVICES = {"mobile": 68, "desktop": 26, "tablet": 6}
SENT_PER_SECOND = 20


@dataclass(frozen=True)
class SentMessage:
    """A message Messaging took. ``contact`` names the person for ever, unlike the row's ids."""

    contact: str
    channel: str
    message_id: str
    metadata: dict[str, str]


def results(
    plan: CampaignPlan, sent: Iterable[SentMessage], *, moment: datetime, until: datetime
) -> list[Event]:
    """Events about the messages of one campaign, of those that happened before ``until``."""
    events = []
    ordered = sorted(sent, key=lambda message: (message.channel, message.contact))
    for position, message in enumerate(ordered):
        dice = random.Random(f"{plan.name}|{message.contact}|{message.channel}")
        left_at = moment + timedelta(seconds=position / SENT_PER_SECOND)
        for event_type, happened_at, data in _fate(plan, message, left_at, dice):
            if happened_at < until:
                events.append(_event(message, event_type, happened_at, data))
    return events


def _fate(
    plan: CampaignPlan, message: SentMessage, left_at: datetime, dice: random.Random
) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """One message's way: bounced, or delivered and perhaps read, followed, resented."""
    known = plan.reception[message.channel]
    yield "message.sent", left_at, {}
    if dice.random() < known.bounced:
        yield "message.bounced", left_at + timedelta(seconds=dice.randint(2, 90)), {}
        return
    arrived_at = left_at + timedelta(seconds=dice.randint(1, 25))
    yield "message.delivered", arrived_at, {}
    read_at = arrived_at + timedelta(minutes=dice.expovariate(1 / 400))
    device = {"deviceType": dice.choices(list(DEVICES), list(DEVICES.values()))[0]}
    is_opened = dice.random() < min(0.9, known.opened * plan.liking)
    if is_opened:
        yield "message.opened", read_at, device
    if (is_opened or not known.opened) and dice.random() < _follows(known, plan):
        clicked_at = read_at + timedelta(seconds=dice.randint(8, 240))
        yield "message.clicked", clicked_at, {**device, "linkId": "main", "linkUrl": plan.link}
    if dice.random() < known.unsubscribed:
        yield "message.unsubscribed", read_at + timedelta(seconds=dice.randint(20, 400)), device


def _follows(known: Reception, plan: CampaignPlan) -> float:
    """How likely a reader follows the link; over a channel without opens, anybody reached."""
    return min(0.6, known.clicked * plan.liking / (known.opened or 1.0))


def _event(message: SentMessage, event_type: str, moment: datetime, data: dict[str, Any]) -> Event:
    return cloud_event(
        "messaging",
        event_type,
        moment.replace(microsecond=0),
        {"messagingContactId": message.contact},
        messageId=message.message_id,
        channel=message.channel,
        metadata=message.metadata,
        **data,
    )
