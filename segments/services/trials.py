"""Trying a model before a segment is saved that asks it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.jobs.models import JobStatus
from crm_site.jobs.services import Reporter, request_job
from segments.models import SegmentTrial
from segments.rules.references import check_mentioned
from segments.rules.smart import SmartQuestion, parse_smart

# A trial says how good the model is now; last month's is another model.
COUNTS_FOR = timedelta(days=7)


class UntriedError(DomainError):
    """The model was not tried yet."""

    code = "untried"


@transaction.atomic
def request_trial(*, question: SmartQuestion, actor: Actor, now: datetime) -> SegmentTrial:
    """Put a trial in the queue, or return the one that waits or counts already. The caller rings.

    Raises RuleError for a segment that is not there.
    """
    check_question(question)
    asked = SegmentTrial.objects.filter(question=question.as_json())
    known = asked.open().first() or _counting(question, now)
    return known or request_job(SegmentTrial, actor=actor, question=question.as_json())


def run_trial(job: SegmentTrial, report: Reporter, *, now: datetime) -> None:
    """Train on some, try on others, keep what came of it. Raises TooLittleError."""
    # Loads scikit-learn, which only a worker may.
    from segments.services.smart_training import learn

    learned = learn(parse_smart(job.question), now=now, tell=report)
    report(1.0, "", quality=learned.quality.as_json())


def require_trial(question: SmartQuestion, *, now: datetime) -> None:
    """Raises UntriedError unless the same question was tried lately, and with success."""
    if _counting(question, now) is None:
        raise UntriedError(
            "Try the model first: how good it is, is to be seen before it is saved.",
            path="criteria",
        )


def check_question(question: SmartQuestion, *, asked_by: UUID | None = None) -> None:
    """Raises RuleError where the segment to be like is not there, or would ask about itself."""
    if question.segment is not None:
        used = {question.segment: "criteria.segment"}
        check_mentioned(used, asked_by=asked_by)


def forget_old_trials(*, now: datetime) -> int:
    """Remove trials that no longer count. Returns how many."""
    old = SegmentTrial.objects.filter(finished_at__lt=now - 4 * COUNTS_FOR)
    return int(old.delete()[0])


def _counting(question: SmartQuestion, now: datetime) -> SegmentTrial | None:
    tried: SegmentTrial | None = (
        SegmentTrial.objects.filter(
            question=question.as_json(),
            status=JobStatus.SUCCESS,
            finished_at__gte=now - COUNTS_FOR,
        )
        .order_by("-finished_at")
        .first()
    )
    return tried
