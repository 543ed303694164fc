"""Making, changing and deleting segments."""

from datetime import datetime

from django.db import transaction

from crm_site.audit.actor import Actor
from segments.choices import Combinator
from segments.models import FILLED_BY_ITSELF, CustomerSegment, SegmentRefresh
from segments.rules.grammar import parse
from segments.rules.references import check_segments
from segments.rules.smart import parse_smart
from segments.services.matching import tenant_clock
from segments.services.publishing import lead_elsewhere
from segments.services.refreshing import SegmentError, request_refresh
from segments.services.schedule import next_refresh_at
from segments.services.trials import check_question, require_trial
from segments.services.usage import uses_of

# What decides who is in it, or when that is looked at again.
DECISIVE = ("type", "criteria", "combinator", "refresh_frequency", "is_active")


@transaction.atomic
def save_segment(segment: CustomerSegment, *, actor: Actor, now: datetime) -> SegmentRefresh | None:
    """Save a new or changed segment. Returns the refresh that its rules now need, for the caller
    to nudge, or None.

    Raises RuleError for rules that cannot be asked, UntriedError for a model that was not tried,
    and SegmentError naming the field at fault.
    """
    before = CustomerSegment.objects.filter(pk=segment.pk).first()
    _check(segment, before)
    if segment.is_by_model:
        _check_model(segment, before, now)
    elif segment.is_by_rules:
        group = parse(segment.criteria, segment.combinator)
        check_segments(group, asked_by=segment.pk)
    else:
        segment.criteria = None
    is_decided_anew = before is None or any(
        getattr(before, name) != getattr(segment, name) for name in DECISIVE
    )
    if before is None:
        segment.created_by = segment.created_by or actor.id
    if is_decided_anew:
        segment.broken_reason, segment.is_stale = None, True
        segment.next_refresh_at = _first_scheduled(segment, now)
    if before is not None and before.messaging_segment_id != segment.messaging_segment_id:
        lead_elsewhere(segment)
    segment.save()
    if not (is_decided_anew and segment.type in FILLED_BY_ITSELF and segment.is_active):
        return None
    return request_refresh(segment_id=segment.pk, actor=actor, now=now)


def _first_scheduled(segment: CustomerSegment, now: datetime) -> datetime | None:
    if segment.type not in FILLED_BY_ITSELF:
        return None
    zone = tenant_clock(now).zone
    return next_refresh_at(segment.refresh_frequency, segment.pk, zone, after=now)


def _check(segment: CustomerSegment, before: CustomerSegment | None) -> None:
    if before is not None and before.is_system and before.name != segment.name:
        raise SegmentError("This segment comes with Fairway and keeps its name.", path="name")
    same_name = CustomerSegment.objects.live().filter(name=segment.name).exclude(pk=segment.pk)
    if same_name.exists():
        raise SegmentError("Another segment has this name.", path="name", code="already_exists")


def _check_model(segment: CustomerSegment, before: CustomerSegment | None, now: datetime) -> None:
    question = parse_smart(segment.criteria)
    check_question(question, asked_by=segment.pk)
    segment.criteria, segment.combinator = question.as_json(), Combinator.AND
    if before is None or not before.is_by_model or before.criteria != segment.criteria:
        require_trial(question, now=now)


@transaction.atomic
def delete_segment(segment: CustomerSegment, *, now: datetime) -> None:
    """Take a segment out of use for good; its history stays. Its name is free again.

    Raises SegmentError for a segment that comes with Fairway or that something live uses.
    """
    if segment.is_system:
        raise SegmentError("This segment comes with Fairway and stays.", code="is_system")
    live = [use for use in uses_of(segment) if use.is_live]
    if live:
        names = ", ".join(f"{use.kind} “{use.name}”" for use in live)
        raise SegmentError(f"It is used by {names}.", code="in_use")
    segment.deleted_at, segment.is_active = now, False
    segment.save(update_fields=["deleted_at", "is_active", "updated_at"])
