"""What becomes of scores with time, and of a training that somebody asked for."""

from datetime import UTC, date, datetime, timedelta

from crm_site.audit.models import CrmAuditLog
from crm_site.jobs.models import JobStatus
from crm_site.jobs.services import request_job
from crm_site.tenancy.context import tenant_scope
from customers.choices import ScoreModelKind
from customers.models import CustomerScore, ScoreModel, ScoreTraining
from customers.services.retention import SCORE_RETENTION, drop_old_scores
from customers.tasks import score_training
from tests.factories import make_activity, make_customer

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LONG_AGO = (NOW - SCORE_RETENTION).date() - timedelta(days=1)


def scored(customer, *weeks):
    CustomerScore.objects.bulk_create(
        CustomerScore(customer=customer, week=week, engagement_score=10, parts={}) for week in weeks
    )


def weeks_of(customer):
    return list(CustomerScore.objects.filter(customer=customer).values_list("week", flat=True))


def test_old_weeks_go_but_everybody_keeps_the_newest(tenant, other_tenant):
    active, quiet = make_customer(), make_customer()
    lately = date(2026, 11, 16)
    scored(active, LONG_AGO - timedelta(weeks=1), LONG_AGO, lately)
    scored(quiet, LONG_AGO - timedelta(weeks=1), LONG_AGO)
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
        scored(stranger, LONG_AGO, lately)

    assert drop_old_scores(now=NOW) == 3
    assert drop_old_scores(now=NOW) == 0

    assert weeks_of(active) == [lately]
    assert weeks_of(quiet) == [LONG_AGO]
    with tenant_scope(other_tenant.pk):
        assert len(weeks_of(stranger)) == 2


def test_a_week_at_the_very_edge_stays(tenant):
    customer = make_customer()
    edge = (NOW - SCORE_RETENTION).date()
    scored(customer, edge, edge + timedelta(weeks=1))

    assert drop_old_scores(now=NOW) == 0


def test_a_training_learns_scores_everybody_and_tells_who_asked(tenant, other_tenant, actor):
    player = make_customer()
    make_activity(customer=player, type="ROUND_PLAYED")
    job = request_job(ScoreTraining, actor=actor)

    score_training(tenant.pk, str(job.pk))

    job.refresh_from_db()
    player.refresh_from_db()
    assert (job.status, job.progress) == (JobStatus.SUCCESS, 1)
    assert player.engagement_score > 0
    assert set(ScoreModel.objects.values_list("kind", flat=True)) == set(ScoreModelKind)
    entry = CrmAuditLog.objects.get(action="TRAIN")
    assert (entry.performed_by, entry.metadata) == (actor.id, {"changed": 1})
    with tenant_scope(other_tenant.pk):
        assert not ScoreModel.objects.exists()


def test_a_training_that_ran_is_not_run_again(tenant, actor):
    job = request_job(ScoreTraining, actor=actor)
    score_training(tenant.pk, str(job.pk))

    score_training(tenant.pk, str(job.pk))

    assert ScoreModel.objects.filter(kind=ScoreModelKind.SEASON).count() == 1
