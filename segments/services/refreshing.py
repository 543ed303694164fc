"""Recomputing who is in a segment."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL

from crm_site.audit.actor import Actor
from crm_site.db.timeouts import statement_timeout
from crm_site.errors import DomainError
from customers.models import CustomerProfile
from segments.choices import RefreshStatus, SegmentType
from segments.models import CustomerSegment, CustomerSegmentMembership, SegmentRefresh
from segments.rules.errors import RuleError
from segments.rules.smart import TooLittleError, parse_smart
from segments.services.difference import Difference, write_difference
from segments.services.locking import lock, try_lock
from segments.services.matching import belonging, tenant_clock
from segments.services.trials import check_question
from segments.services.usage import uses_of
from segments.signals import membership_changed

if TYPE_CHECKING:
    from segments.services.smart_scoring import Likely

STATEMENT_SECONDS = 20 * 60
MAX_ATTEMPTS = 3
MOST_UNSEEN = 0.5  # Of the members that were.
RETRY_AFTER = timedelta(minutes=10)
# A worker takes the lock right after its claim; one that has not by then is gone.
CLAIM_GRACE = timedelta(seconds=60)
# But before that a model learns.
LEARNING_GRACE = timedelta(minutes=30)


class SegmentError(DomainError):
    """This cannot be done with this segment."""


class LostClaimError(Exception):
    """The refresh was given to another worker."""


class HeldBackError(Exception):
    """So much would change that a person is to look first."""

    def __init__(self, found: Difference) -> None:
        super().__init__()
        self.found = found


@transaction.atomic
def request_refresh(*, segment_id: UUID, actor: Actor, now: datetime) -> SegmentRefresh:
    """Put a refresh of a segment in the queue; returns the one that waits already, if any.

    The caller nudges ``segments.refresh_one``. Raises SegmentError for a segment that is deleted.
    """
    segment = CustomerSegment.objects.live().filter(pk=segment_id).first()
    if segment is None:
        raise SegmentError("This segment is not there any more.", code="gone")
    waiting = SegmentRefresh.objects.waiting().filter(segment=segment).first()
    if waiting is not None:
        return waiting
    try:
        with transaction.atomic():
            return SegmentRefresh.objects.create(
                segment=segment, requested_by=actor.id, requested_at=now
            )
    except IntegrityError:  # Another was faster.
        return SegmentRefresh.objects.waiting().get(segment=segment)


def run_refresh(*, refresh_id: UUID, now: datetime) -> SegmentRefresh | None:
    """Carry out one waiting refresh; returns it finished, or None if it is not ours to run.

    Members change in one transaction: readers see the old set or the new. On an error the old set
    stays and the refresh keeps the reason. Rules that can no longer be read mark the segment
    broken.
    """
    refresh = _claim(refresh_id, now)
    if refresh is None:
        return None
    try:
        # Learning takes a minute where there are many: no lock is held meanwhile.
        likely = _ask_model(refresh, now)
        with transaction.atomic(), statement_timeout(STATEMENT_SECONDS):
            return _refresh(refresh, now, likely)
    except LostClaimError:
        return None
    except HeldBackError as held:
        with transaction.atomic():
            return _hold(refresh, held.found, now)
    except (DomainError, DatabaseError) as error:
        with transaction.atomic():
            return _fail(refresh, now, error)


@transaction.atomic
def _claim(refresh_id: UUID, now: datetime) -> SegmentRefresh | None:
    waiting = SegmentRefresh.objects.waiting().filter(pk=refresh_id)
    try:
        with transaction.atomic():
            claimed = waiting.update(
                status=RefreshStatus.RUNNING, started_at=now, attempt_count=F("attempt_count") + 1
            )
    except IntegrityError:  # One of this segment runs already; this one comes after it.
        return None
    return SegmentRefresh.objects.select_related("segment").get(pk=refresh_id) if claimed else None


def _ask_model(refresh: SegmentRefresh, now: datetime) -> "Likely | None":
    """Whom the model of a segment by model finds; None for any other segment."""
    segment = refresh.segment
    if not segment.is_by_model:
        return None
    question = parse_smart(segment.criteria)
    with transaction.atomic():
        check_question(question, asked_by=segment.pk)
    # Loads scikit-learn, which the web process never does.
    from segments.services.smart_scoring import find_likely

    return find_likely(question, now=now)


def _refresh(refresh: SegmentRefresh, now: datetime, likely: "Likely | None") -> SegmentRefresh:
    # Waits for a look at single customers, which takes a moment.
    lock(refresh.segment_id)
    if not _is_ours(refresh):
        raise LostClaimError
    segment = CustomerSegment.objects.get(pk=refresh.segment_id)
    clock = tenant_clock(now)
    with connection.cursor() as cursor:
        # Counts over many rows are kept in a hash; too small a one would be asked row by row.
        cursor.execute("SELECT set_config('work_mem', '128MB', true)")
    difference = write_difference(
        segment,
        belonging(segment, clock) if likely is None else _found(likely),
        now=now,
        refresh=refresh,
        check=lambda found: _check_size(segment, refresh, found),
    )
    if likely is not None:
        likely.tell_members(segment.pk, now)
        refresh.quality = likely.quality.as_json()
    _note_success(segment, refresh, difference, now)
    if difference:
        membership_changed.send(sender=CustomerSegment, segment=segment, changed_at=now)
    return refresh


def _found(likely: "Likely") -> QuerySet[CustomerProfile]:
    """Who was found and is still there."""
    ids = RawSQL(likely.put_into_table(), [])  # noqa: S611 - a statement of ours.
    found: QuerySet[CustomerProfile] = CustomerProfile.objects.live().filter(pk__in=ids)
    return found


def _check_size(segment: CustomerSegment, refresh: SegmentRefresh, found: Difference) -> None:
    """Raises HeldBackError for a change of over half of a segment that will be written to."""
    is_filled = segment.last_refreshed_at is not None
    is_large = found.moved_count > MOST_UNSEEN * segment.member_count
    if is_filled and is_large and refresh.approved_by is None and _is_scheduled(segment):
        raise HeldBackError(found)


def _is_scheduled(segment: CustomerSegment) -> bool:
    return any(use.is_scheduled for use in uses_of(segment))


def _hold(refresh: SegmentRefresh, found: Difference, now: datetime) -> SegmentRefresh:
    """Leave the members as they are until somebody has looked. The newest look counts."""
    earlier = SegmentRefresh.objects.held().filter(segment=refresh.segment_id)
    earlier.update(status=RefreshStatus.FAILED, error="A later refresh found more to look at.")
    refresh.status, refresh.finished_at = RefreshStatus.HELD, now
    refresh.entered_count, refresh.left_count = found.entered_count, found.left_count
    refresh.error = (
        f"{found.entered_count:,} would join and {found.left_count:,} leave, over half of the "
        "segment, and a scheduled campaign writes to it. The members stay as they are until "
        "somebody lets the change through."
    )
    refresh.save()
    return refresh


@transaction.atomic
def approve_refresh(*, segment_id: UUID, actor: Actor, now: datetime) -> SegmentRefresh:
    """Let the change that waits for a person through; returns its refresh, in the queue again.

    It looks anew, so it brings what is true then. The caller nudges it. Raises SegmentError where
    nothing waits.
    """
    held = SegmentRefresh.objects.held().filter(segment=segment_id).select_for_update().first()
    if held is None:
        raise SegmentError("No change of this segment waits for a person.", code="nothing_held")
    held.status, held.error = RefreshStatus.SUCCESS, None
    held.entered_count = held.left_count = 0
    held.approved_by = actor.id
    held.save()
    refresh = request_refresh(segment_id=segment_id, actor=actor, now=now)
    refresh.approved_by = actor.id
    refresh.save(update_fields=["approved_by"])
    return refresh


def _is_ours(refresh: SegmentRefresh) -> bool:
    """Whether the claim still stands: a worker that froze may have been given up."""
    claims = SegmentRefresh.objects.running().filter(
        pk=refresh.pk, attempt_count=refresh.attempt_count
    )
    return claims.select_for_update().exists()


def _note_success(
    segment: CustomerSegment, refresh: SegmentRefresh, difference: Difference, now: datetime
) -> None:
    # Whoever moves members counts them, so where nobody moved the count stands.
    members = segment.member_count
    if difference or segment.last_refreshed_at is None:
        members = CustomerSegmentMembership.objects.filter(segment=segment).count()
    refresh.status, refresh.finished_at, refresh.error = RefreshStatus.SUCCESS, now, None
    refresh.entered_count, refresh.left_count = difference.entered_count, difference.left_count
    refresh.member_count = members
    refresh.save()
    segment.member_count, segment.last_refreshed_at = members, now
    segment.broken_reason, segment.is_stale = None, False
    segment.save(update_fields=["member_count", "last_refreshed_at", "broken_reason", "is_stale"])


def _fail(refresh: SegmentRefresh, now: datetime, error: Exception) -> SegmentRefresh:
    refresh.status, refresh.finished_at = RefreshStatus.FAILED, now
    refresh.error = _reason(error)
    refresh.save()
    segment = CustomerSegment.objects.get(pk=refresh.segment_id)
    if isinstance(error, RuleError):
        segment.broken_reason = str(error)
    elif segment.next_refresh_at is not None and not isinstance(error, TooLittleError):
        segment.next_refresh_at = min(segment.next_refresh_at, now + RETRY_AFTER)
    segment.save(update_fields=["broken_reason", "next_refresh_at", "updated_at"])
    return refresh


def _reason(error: Exception) -> str:
    if getattr(error.__cause__, "sqlstate", None) == "57014":  # query_canceled
        return "It took too long and was stopped. Make the rules simpler."
    return str(error)


@transaction.atomic
def recover_refreshes(now: datetime) -> int:
    """Give back refreshes whose worker is gone; after some attempts they fail. Returns how many."""
    recovered = 0
    stale = SegmentRefresh.objects.running().filter(
        Q(started_at__lt=now - CLAIM_GRACE) & ~Q(segment__type=SegmentType.SMART)
        | Q(started_at__lt=now - LEARNING_GRACE)
    )
    for refresh in stale:
        # The worker holds the lock as long as it lives.
        if not try_lock(refresh.segment_id) or not _is_ours(refresh):
            continue
        recovered += 1
        waits = SegmentRefresh.objects.waiting().filter(segment=refresh.segment_id).exists()
        if refresh.attempt_count >= MAX_ATTEMPTS or waits:
            _fail(refresh, now, SegmentError("The work was cut short before it ended."))
        else:
            refresh.status, refresh.started_at = RefreshStatus.PENDING, None
            refresh.save(update_fields=["status", "started_at"])
    return recovered
