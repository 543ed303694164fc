"""What will happen, looked at before it does: counts, and findings in red and amber."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.conf import settings

from campaigns.channels import has_sender
from campaigns.choices import CampaignType, QuietHoursPolicy, SegmentRole
from campaigns.models import Campaign
from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services import checks
from campaigns.services.approvals import is_approved, is_asked_for, standing_approval
from campaigns.services.audience import Reach, count_reach
from campaigns.services.claims import repeat_horizon
from campaigns.services.crowd import Crowd, segments_of
from campaigns.services.findings import Finding, Level
from campaigns.services.overlap import hear_besides
from campaigns.services.quiet_hours import quiet_until
from campaigns.services.recurrence import RecurrenceError, next_run
from campaigns.services.templates import list_templates
from campaigns.services.triggers import read_conditions
from campaigns.services.variables import unknown_variables
from campaigns.services.variants import faults_of_test
from crm_site.errors import DomainError
from crm_site.messaging.channels import Channel
from crm_site.tenancy.models import Installation, Tenant
from segments.choices import SegmentType
from segments.models import CustomerSegment
from segments.rules.errors import RuleError

STALE_SEGMENT = timedelta(days=2)


@dataclass(frozen=True)
class Preflight:
    """``reach`` is None while there is no segment or channel to count by; ``passed`` is green."""

    findings: list[Finding] = field(default_factory=list)
    reach: Reach | None = None
    passed: list[Finding] = field(default_factory=list)

    @property
    def is_clear(self) -> bool:
        return not any(each.level == Level.RED for each in self.findings)


# Findings that a second person settles, and no edit.
APPROVAL_CODES = frozenset({"approval_missing", "approval_waits"})


class PreflightError(DomainError):
    """The review shows red."""

    code = "preflight"


def preflight(campaign: Campaign, *, now: datetime, is_starting: bool = False) -> Preflight:
    """Look a campaign over. ``is_starting``: its own time does not matter, it goes out now."""
    at = campaign.scheduled_at if campaign.scheduled_at and not is_starting else now
    groups: list[tuple[str, str, Iterable[Finding]]] = [
        ("segment", "Its segments are worked out and in use.", _segment_findings(campaign, now)),
        ("segment", "Its segments are much as they were.", _change_findings(campaign, now)),
        ("channels", "Every channel has a template that Messaging holds and we can fill in.",
         _channel_findings(campaign)),
        ("scheduled_at", "Its time lies ahead.", _time_findings(campaign, now, is_starting)),
        ("scheduled_at", "Outside the quiet hours.", _quiet_findings(campaign, at)),
        ("", "What we know of consent is fresh.", checks.consent_age(now)),
        ("", "Messaging takes our messages.",
         [*checks.messaging_state(now), *_sending_findings(campaign)]),
    ]  # fmt: skip
    if campaign.test_percent is not None or campaign.variants.exists():
        faults = [Finding(Level.RED, *fault) for fault in faults_of_test(campaign)]
        groups.append(("variants", "Its variants can be told apart.", faults))
    reach = None
    if campaign.segment_id and campaign.channels:
        besides = hear_besides(campaign, at=at)
        reach = count_reach(
            crowd=Crowd.of(campaign), channels=list(campaign.channels), now=now,
            campaign=campaign, besides=besides,
        )  # fmt: skip
        groups += [
            ("segment", "Somebody hears over every channel.", _reach_findings(reach, campaign)),
            ("scheduled_at", "Nobody hears twice within two days.",
             checks.heard_twice(reach, besides.names)),
            ("", "Nobody is left out by the caps or for opening nothing.", checks.left_out(reach)),
            ("messages_per_hour", "It is sent in time.", _pace_findings(campaign, reach)),
        ]  # fmt: skip
        if is_asked_for(reach.people):
            approved = "A second person has approved it as it stands."
            groups.append(("", approved, _approval_findings(campaign, reach)))
    return _review(groups, reach)


def _review(groups: Iterable[tuple[str, str, Iterable[Finding]]], reach: Reach | None) -> Preflight:
    """Red before amber; a group in which nothing was found has passed."""
    findings: list[Finding] = []
    passed: list[Finding] = []
    for path, words, found in groups:
        here = list(found)
        findings += here
        if not here:
            passed.append(Finding(Level.GREEN, "passed", words, path))
    order = [Level.RED, Level.AMBER]
    return Preflight(sorted(findings, key=lambda each: order.index(each.level)), reach, passed)


def first_findings(campaign: Campaign, *, now: datetime) -> list[Finding]:
    """What can be said without counting anybody: cheap enough for every page of a draft."""
    is_starting = campaign.scheduled_at is None
    return [
        *_segment_findings(campaign, now),
        *_channel_findings(campaign),
        *_time_findings(campaign, now, is_starting),
    ]


def refuse_blocked(campaign: Campaign, *, now: datetime, is_starting: bool = False) -> Preflight:
    """The review. Raises PreflightError: the first red finding, with all of them as reasons."""
    found = preflight(campaign, now=now, is_starting=is_starting)
    reasons = [
        PreflightError(each.message, path=each.path, code=each.code)
        for each in found.findings
        if each.level == Level.RED
    ]
    if reasons:
        first = reasons[0]
        first.reasons = tuple(reasons)
        raise first
    return found


def _segment_findings(campaign: Campaign, now: datetime) -> Iterator[Finding]:
    if campaign.segment is None and campaign.type == CampaignType.TRIGGERED:
        pass  # Whoever the event happens to; a segment narrows that.
    elif campaign.segment is None:
        yield Finding(Level.RED, "segment_missing", "Choose whom it is for.", "segment")
    for segment, path in _segments(campaign):
        yield from _findings_of(segment, path, now)


def _change_findings(campaign: Campaign, now: datetime) -> Iterator[Finding]:
    for segment, path in _segments(campaign):
        yield from checks.segment_changes(segment, path, now)


def _segments(campaign: Campaign) -> Iterator[tuple[CustomerSegment, str]]:
    """Every segment it asks, and the field that names it."""
    if campaign.segment is not None:
        yield campaign.segment, "segment"
    for role, path in ((SegmentRole.INCLUDE, "include_segments"),
                       (SegmentRole.EXCLUDE, "exclude_segments")):  # fmt: skip
        for segment in segments_of(campaign, role):
            yield segment, path


def _findings_of(segment: CustomerSegment, path: str, now: datetime) -> Iterator[Finding]:
    if segment.deleted_at:
        yield Finding(Level.RED, "segment_deleted", f"“{segment}” was deleted.", path)
    elif not segment.is_active:
        yield Finding(Level.RED, "segment_unused", f"“{segment}” is not in use.", path)
    elif segment.broken_reason:
        words = f"“{segment}” cannot be worked out: {segment.broken_reason}"
        yield Finding(Level.RED, "segment_broken", words, path)
    elif segment.type != SegmentType.DYNAMIC:
        return
    elif segment.last_refreshed_at is None:
        words = f"“{segment}” was never worked out; refresh it first."
        yield Finding(Level.RED, "segment_never_refreshed", words, path)
    elif segment.last_refreshed_at < now - STALE_SEGMENT:
        words = f"“{segment}” was last worked out on {segment.last_refreshed_at:%d %b %Y}."
        yield Finding(Level.AMBER, "segment_stale", words, path)
    elif segment.is_stale:
        words = f"The rules of “{segment}” were changed since it was last worked out."
        yield Finding(Level.AMBER, "segment_stale", words, path)


def _channel_findings(campaign: Campaign) -> Iterator[Finding]:
    if not campaign.channels:
        yield Finding(Level.RED, "channels_missing", "Choose at least one channel.", "channels")
        return
    known = list_templates()
    for channel in campaign.channels:
        label = Channel(channel).label
        path = TEMPLATE_FIELDS.get(Channel(channel), "channels")
        template = campaign.template_for(channel)
        if channel not in TEMPLATE_FIELDS or not has_sender(channel):
            words = f"{label} cannot be sent over yet; switch it off."
            yield Finding(Level.RED, "channel_unsupported", words, "channels")
        elif not template:
            words = f"{label} is on, but no template is chosen for it."
            yield Finding(Level.RED, "template_missing", words, path)
        elif known.is_known and not known.holds(channel, template):
            words = f"Messaging holds no {label} template “{template}”."
            yield Finding(Level.RED, "template_unknown", words, path)
        elif unknown := unknown_variables(known.variables_of(channel, template)):
            words = f"“{template}” asks for what we know of nobody: {', '.join(unknown)}."
            yield Finding(Level.AMBER, "template_variable", words, path)
        for variant in campaign.variants.all():
            own = variant.template_for(channel)
            if own and known.is_known and not known.holds(channel, own):
                words = f"Messaging holds no {label} template “{own}” (variant {variant})."
                yield Finding(Level.RED, "template_unknown", words, "variants")
    if not known.is_known:
        words = "Messaging cannot be asked about templates just now."
        yield Finding(Level.AMBER, "messaging_away", words, "channels")


def _time_findings(campaign: Campaign, now: datetime, is_starting: bool) -> Iterator[Finding]:
    if campaign.timezone and campaign.timezone not in available_timezones():
        words = f"“{campaign.timezone}” is not an IANA time zone such as Africa/Johannesburg."
        yield Finding(Level.RED, "zone_unknown", words, "timezone")
        return
    start, end = campaign.scheduled_at, campaign.recur_end_at
    if start and end and end <= start:
        words = "The end must come after the start."
        yield Finding(Level.RED, "end_before_start", words, "recur_end_at")
    if start and start <= now and not is_starting:
        words = "Its time is past; choose a later one or start it now."
        yield Finding(Level.RED, "start_past", words, "scheduled_at")
    if end and end <= now:
        yield Finding(Level.RED, "end_past", "Its end is past already.", "recur_end_at")
    yield from _type_findings(campaign, now)


def _type_findings(campaign: Campaign, now: datetime) -> Iterator[Finding]:
    if campaign.type == CampaignType.RECURRING:
        try:
            if next_run(campaign, after=now) is None:
                words = "It has no run before its end."
                yield Finding(Level.RED, "no_run", words, "recur_end_at")
        except RecurrenceError as error:
            yield Finding(Level.RED, "pattern", error.message, error.path)
    elif campaign.type == CampaignType.TRIGGERED:
        if not campaign.trigger_event_type:
            words = "Choose the event that it answers."
            yield Finding(Level.RED, "event_missing", words, "trigger_event_type")
        try:
            read_conditions(campaign.trigger_conditions)
        except RuleError as error:
            yield Finding(Level.RED, "conditions", str(error), "trigger_conditions")
    elif campaign.type == CampaignType.JOURNEY:
        words = "It is sent by its journey, step by step: activate the journey instead."
        yield Finding(Level.RED, "type", words, "type")


def _quiet_findings(campaign: Campaign, at: datetime) -> Iterator[Finding]:
    tenant = Tenant.objects.get(pk=campaign.tenant_id)
    if until := quiet_until(tenant, tenant.time_zone, at):
        words = f"It falls into the quiet hours: messages wait until {until:%H:%M} local time."
        if campaign.quiet_hours_policy == QuietHoursPolicy.SKIP:
            words = "It falls into the quiet hours: who has them then is left out."
        yield Finding(Level.AMBER, "quiet_hours", words, "scheduled_at")


def _sending_findings(campaign: Campaign) -> Iterator[Finding]:
    tenant = Tenant.objects.get(pk=campaign.tenant_id)
    if not tenant.is_sending_enabled:
        words = "Sending is switched off for this club: nothing leaves until it is on again."
        yield Finding(Level.AMBER, "sending_off", words, "")
    installation = Installation.current()
    if not installation.is_sending_enabled:
        words = f"Sending is switched off for every club. {installation.reason}".strip()
        yield Finding(Level.AMBER, "sending_off_everywhere", words, "")
    if settings.MESSAGING_IS_SANDBOX:
        words = "Messages go to the sandbox: nobody really hears."
        yield Finding(Level.AMBER, "sandbox", words, "")


def _pace_findings(campaign: Campaign, reach: Reach) -> Iterator[Finding]:
    if not campaign.messages_per_hour:
        return
    takes, latest = reach.messages / campaign.messages_per_hour, repeat_horizon()
    if takes > latest.total_seconds() / 3600:
        words = (
            f"At {campaign.messages_per_hour:,} an hour it takes {takes:,.0f} hours; what has not "
            f"left {latest.total_seconds() / 3600:.0f} hours after the start is left out."
        )
        yield Finding(Level.AMBER, "pace_slow", words, "messages_per_hour")


def _approval_findings(campaign: Campaign, reach: Reach) -> Iterator[Finding]:
    if not is_asked_for(reach.people) or is_approved(campaign):
        return
    if standing_approval(campaign) is not None:
        words = "It waits for a second person to approve it."
        yield Finding(Level.RED, "approval_waits", words, "")
        return
    words = "So many people hear only what a second person has approved: ask for approval."
    yield Finding(Level.RED, "approval_missing", words, "")


def _reach_findings(reach: Reach, campaign: Campaign) -> Iterator[Finding]:
    # The audience of one that goes on is asked anew each time: nobody today may be many tomorrow.
    level = Level.RED if campaign.type == CampaignType.ONE_TIME else Level.AMBER
    if not reach.in_segment:
        words = "There is nobody in this segment."
        yield Finding(level, "nobody_reachable", words, "segment")
        return
    if not reach.people:
        words = "Nobody in this segment can be reached over the chosen channels."
        yield Finding(level, "nobody_reachable", words, "channels")
        return
    for each in reach.channels:
        if not each.reachable:
            words = f"Nobody in this segment can be reached by {Channel(each.channel).label}."
            yield Finding(Level.AMBER, "channel_unreachable", words, "channels")
