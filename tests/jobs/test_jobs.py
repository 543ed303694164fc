"""Long work: asked for, run once, seen, stopped, and taken up again when its worker dies."""

from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.jobs import tasks
from crm_site.jobs.models import Job, JobStatus
from crm_site.jobs.services import (
    JobCancelled,
    JobError,
    JobLostError,
    cancel_job,
    recover_jobs,
    request_job,
    run_job,
)
from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerImport


@pytest.fixture
def ask(tenant, actor):
    def make(**values):
        return request_job(CustomerImport, actor=actor, **({"kind": "CHECK", "plan": {}} | values))

    return make


@pytest.mark.parametrize("model", Job.__subclasses__(), ids=lambda each: each.__name__)
def test_a_worker_knows_the_task_of_every_kind_of_long_work(model):
    current_app.loader.import_default_modules()

    assert model.task_name in current_app.tasks


def reload(job):
    return CustomerImport.objects.get(pk=job.pk)


def run(job, work):
    return run_job(CustomerImport, job.pk, work)


def die(job, work):
    """A worker that is gone before its work ended."""
    with pytest.raises(KeyboardInterrupt):
        run(job, work)
    CustomerImport.objects.filter(pk=job.pk).update(
        leased_until=timezone.now() - timedelta(seconds=1)
    )


def interrupted(job, report):
    raise KeyboardInterrupt


def test_a_job_shows_how_far_it_is_and_ends_well(ask):
    job, seen = ask(), []

    def work(job, report):
        report(0.4, "Matching people", done_rows=7)
        seen.append(reload(job))

    assert run(job, work) == JobStatus.SUCCESS

    assert (seen[0].progress, seen[0].stage, seen[0].done_rows) == (0.4, "Matching people", 7)
    assert seen[0].leased_until > timezone.now()
    ended = reload(job)
    assert (ended.status, ended.progress, ended.error) == ("SUCCESS", 1.0, None)
    assert ended.finished_at is not None


def test_what_the_work_changes_is_done_by_whoever_asked(ask):
    actors = []

    run(ask(), lambda job, report: actors.append(Actor.current().id))

    assert actors == ["user:test"]


def test_it_is_run_once(ask):
    job = ask()
    run(job, lambda job, report: None)

    assert run(job, pytest.fail) is None


def test_a_refusal_is_told_in_its_own_words(ask):
    def work(job, report):
        raise DomainError("The file is empty.")

    job = ask()

    assert run(job, work) == JobStatus.FAILED
    assert reload(job).error == "The file is empty."


def test_an_unexpected_error_is_logged_and_told_plainly(ask, caplog):
    job = ask()

    run(job, lambda job, report: 1 / 0)

    assert reload(job).status == "FAILED"
    assert "Something went wrong on our side" in reload(job).error
    assert "ZeroDivisionError" in caplog.text


def test_cancelling_stops_it_at_its_next_report(ask):
    job, done = ask(), []

    def work(job, report):
        report(0.1, "First")
        cancel_job(CustomerImport, job.pk)
        done.append("first")
        report(0.2, "Second")
        done.append("second")

    assert run(job, work) == JobStatus.CANCELLED

    assert done == ["first"]
    assert reload(job).stage == "Second"  # Where it was stopped.


def test_a_job_that_waits_is_cancelled_at_once(ask):
    job = ask()

    cancel_job(CustomerImport, job.pk)

    assert reload(job).status == "CANCELLED"
    assert run(job, pytest.fail) is None


def test_cancelling_twice_is_harmless_and_too_late_is_refused(ask):
    waiting, ended = ask(), ask()
    run(ended, lambda job, report: None)

    cancel_job(CustomerImport, waiting.pk)
    cancel_job(CustomerImport, waiting.pk)

    with pytest.raises(JobError, match="ended already"):
        cancel_job(CustomerImport, ended.pk)


def test_a_job_of_another_tenant_is_out_of_reach(ask, other_tenant):
    job = ask()

    with tenant_scope(other_tenant.pk), pytest.raises(JobError, match="no such job"):
        cancel_job(CustomerImport, job.pk)


def test_one_that_lost_its_worker_is_taken_up_again(ask):
    job = ask()
    die(job, interrupted)

    assert recover_jobs(CustomerImport, now=timezone.now()) == 1

    assert reload(job).status == "PENDING"
    assert run(job, lambda job, report: None) == JobStatus.SUCCESS
    assert reload(job).attempt_count == 2


def test_a_worker_that_lives_keeps_its_job(ask):
    ask()

    def work(job, report):
        assert recover_jobs(CustomerImport, now=timezone.now()) == 0

    assert run(ask(), work) == JobStatus.SUCCESS


def test_after_three_attempts_it_fails_and_says_why(ask):
    job = ask()
    for _ in range(3):
        die(job, interrupted)
        recover_jobs(CustomerImport, now=timezone.now())

    assert reload(job).status == "FAILED"
    assert "cut short 3 times" in reload(job).error


def test_one_that_lost_its_worker_while_stopping_is_cancelled(ask):
    job = ask()

    def work(job, report):
        cancel_job(CustomerImport, job.pk)
        raise KeyboardInterrupt

    die(job, work)
    recover_jobs(CustomerImport, now=timezone.now())

    assert reload(job).status == "CANCELLED"


def test_a_worker_that_comes_back_too_late_writes_nothing_more(ask):
    job = ask()

    def froze(slow, report):
        CustomerImport.objects.filter(pk=job.pk).update(
            leased_until=timezone.now() - timedelta(seconds=1)
        )
        recover_jobs(CustomerImport, now=timezone.now())
        assert run(job, lambda job, report: None) == JobStatus.SUCCESS
        with pytest.raises(JobLostError), transaction.atomic():
            report.hold()
        report(0.9, "Too late")

    assert run(job, froze) is None
    assert (reload(job).status, reload(job).progress) == ("SUCCESS", 1.0)


def test_only_one_runs_at_a_time_and_the_next_waits(ask):
    first, second = ask(), ask()

    def work(job, report):
        assert run(second, pytest.fail) is None

    assert run(first, work) == JobStatus.SUCCESS
    assert run(second, lambda job, report: None) == JobStatus.SUCCESS


def test_clubs_do_not_wait_for_each_other(ask, other_tenant, actor):
    job = ask()

    def work(mine, report):
        with tenant_scope(other_tenant.pk):
            theirs = request_job(CustomerImport, actor=actor, kind="CHECK", plan={})
            assert run(theirs, lambda job, report: None) == JobStatus.SUCCESS

    assert run(job, work) == JobStatus.SUCCESS


def test_progress_stays_between_nothing_and_all(ask):
    job = ask()

    def work(job, report):
        report(7.0, "x" * 500)
        assert (reload(job).progress, len(reload(job).stage)) == (1.0, 200)

    assert run(job, work) == JobStatus.SUCCESS


@pytest.fixture
def rung(monkeypatch):
    calls = []
    monkeypatch.setattr(
        tasks.current_app, "send_task", lambda name, args: calls.append((name, *args))
    )
    return calls


def test_the_tick_rings_for_what_waits_and_soon_not_again(ask, tenant, rung):
    job = ask()

    tasks.tend()
    tasks.tend()

    assert rung == [("customers.run_import", tenant.pk, str(job.pk))]
    cache.clear()
    tasks.tend()
    assert len(rung) == 2


def test_a_nudge_rings_once_the_row_can_be_seen(
    ask, tenant, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = ask()
        tasks.nudge_on_commit(job)
        assert rung == []

    assert rung == [("customers.run_import", tenant.pk, str(job.pk))]


def test_a_report_inside_a_transaction_is_a_mistake(ask):
    """It would be seen only once that ends."""

    def work(job, report):
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            report(0.5, "Here")

    assert run(ask(), work) == JobStatus.SUCCESS


def test_cancelling_is_what_the_work_may_catch_to_tidy_up(ask):
    job, tidied = ask(), []

    def work(job, report):
        cancel_job(CustomerImport, job.pk)
        try:
            report(0.5, "Half")
        except JobCancelled:
            tidied.append(True)
            raise

    assert run(job, work) == JobStatus.CANCELLED
    assert tidied == [True]
