"""What the review looks at besides the campaign's own fields: its people, and the world around."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from campaigns.choices import DeliveryReason
from campaigns.models import SendingHold
from campaigns.services.audience import Reach
from campaigns.services.findings import Finding, Level
from customers.choices import SyncStatus
from customers.models import SyncLog
from segments.choices import RefreshStatus
from segments.models import CustomerSegment, SegmentRefresh

CONSENT_IS_OLD = timedelta(days=1)
CHANGED_LATELY = timedelta(days=7)
CONSENT_EVENT = "contactPreference.updated"


def segment_changes(segment: CustomerSegment, path: str, now: datetime) -> Iterator[Finding]:
    """A segment whose members changed by over half, or would."""
    if segment.refreshes.filter(status=RefreshStatus.HELD).exists():
        words = f"“{segment}” would change by over half and waits for a person to look at it."
        yield Finding(Level.AMBER, "segment_held", words, path)
        return
    last = (
        SegmentRefresh.objects.filter(
            segment=segment, status=RefreshStatus.SUCCESS, finished_at__gte=now - CHANGED_LATELY
        )
        .order_by("-finished_at")
        .first()
    )
    if last is None or last.member_count is None:
        return
    before = last.member_count - last.entered_count + last.left_count
    if before > 0 and (last.entered_count + last.left_count) * 2 > before:
        words = (
            f"“{segment}” changed by over half at its last refresh: {last.entered_count:,} joined "
            f"and {last.left_count:,} left of {before:,}."
        )
        yield Finding(Level.AMBER, "segment_changed", words, path)


def consent_age(now: datetime) -> Iterator[Finding]:
    """Consent is Messaging's to tell; silence, or news not taken in, makes ours old."""
    events = SyncLog.objects.filter(source_service="messaging")
    if not events.filter(created_at__gte=now - CONSENT_IS_OLD).exists():
        words = "Messaging has told us nothing for over a day: what we know of consent may be old."
        yield Finding(Level.AMBER, "consent_old", words, "")
    waiting = events.filter(event_type=CONSENT_EVENT, status=SyncStatus.FAILED).count()
    if waiting:
        words = f"{waiting:,} changes of consent could not be taken in; see the event inbox."
        yield Finding(Level.AMBER, "consent_failed", words, "")


def messaging_state(now: datetime) -> Iterator[Finding]:
    """Whether Messaging takes our messages: it may have asked us to wait, or refuse our token."""
    hold = SendingHold.objects.filter(until__gt=now).first()
    if hold is not None:
        words = f"Messaging takes nothing from us just now: {hold.reason}"
        yield Finding(Level.AMBER, "messaging_hold", words, "")


def left_out(reach: Reach) -> Iterator[Finding]:
    """How many are left out by the club's own rules."""
    capped = _count(reach, DeliveryReason.CAPPED)
    if capped:
        words = f"{_messages(capped)} left out: those people hear from us enough already."
        yield Finding(Level.AMBER, "capped", words, "")
    unengaged = _count(reach, DeliveryReason.SUPPRESSED)
    if unengaged:
        words = f"{_messages(unengaged)} left out: those people open nothing we send."
        yield Finding(Level.AMBER, "unengaged", words, "")


def heard_twice(reach: Reach, names: tuple[str, ...]) -> Iterator[Finding]:
    if not reach.twice:
        return
    who = "1 person hears" if reach.twice == 1 else f"{reach.twice:,} people hear"
    others = f", “{'”, “'.join(names)}” among it" if names else ""
    words = f"{who} something else from us within two days of it{others}."
    yield Finding(Level.AMBER, "overlap", words, "scheduled_at")


def _count(reach: Reach, reason: DeliveryReason) -> int:
    return sum(each.reasons.get(reason, 0) for each in reach.channels)


def _messages(count: int) -> str:
    return "1 message is" if count == 1 else f"{count:,} messages are"
