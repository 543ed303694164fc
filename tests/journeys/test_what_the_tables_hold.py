"""What the database itself promises about journeys."""

import pytest
from django.db import IntegrityError, transaction

from crm_site.tenancy.context import tenant_scope
from journeys.models import (
    Journey,
    JourneyEnrollment,
    JourneyEnrollmentStep,
    JourneyStep,
    JourneyVersion,
)
from tests.factories import make_customer


@pytest.fixture
def journey(tenant, actor):
    return Journey.objects.create(name="Welcome", trigger_type="MANUAL", created_by=actor.id)


def refuse(make):
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_a_customer_is_under_way_once_at_a_time(journey):
    ann = make_customer()
    first = JourneyEnrollment.objects.create(journey=journey, customer=ann)

    refuse(lambda: JourneyEnrollment.objects.create(journey=journey, customer=ann, entry_number=1))

    first.status = "COMPLETED"
    first.save()
    JourneyEnrollment.objects.create(journey=journey, customer=ann, entry_number=1)


def test_an_entry_counts_once(journey):
    ann = make_customer()
    JourneyEnrollment.objects.create(journey=journey, customer=ann, status="EXITED")

    refuse(lambda: JourneyEnrollment.objects.create(journey=journey, customer=ann))


def test_a_step_number_is_taken_once_in_the_draft_and_once_in_each_version(journey, actor):
    def step(**values):
        return JourneyStep.objects.create(journey=journey, step_number=1, type="TRIGGER", **values)

    step()
    version = JourneyVersion.objects.create(journey=journey, number=1, published_by=actor.id)
    step(version=version)

    refuse(step)
    refuse(lambda: step(version=version))


def test_a_loop_visits_a_step_again_under_another_number(journey):
    step = JourneyStep.objects.create(journey=journey, step_number=1, type="WAIT")
    enrollment = JourneyEnrollment.objects.create(journey=journey, customer=make_customer())

    def visit(number):
        return JourneyEnrollmentStep.objects.create(
            enrollment=enrollment, step=step, visit_number=number
        )

    visit(0), visit(1)

    refuse(lambda: visit(1))


def test_a_name_is_free_again_once_its_journey_is_deleted(journey, other_tenant, actor):
    def namesake():
        return Journey.objects.create(name="Welcome", trigger_type="MANUAL", created_by=actor.id)

    refuse(namesake)
    with tenant_scope(other_tenant.pk):
        namesake()

    Journey.objects.update(deleted_at="2026-01-01T00:00:00Z")
    namesake()


def test_an_unknown_value_is_refused_by_the_database(journey):
    refuse(lambda: Journey.objects.update(status="SLEEPING"))
    refuse(lambda: JourneyStep.objects.create(journey=journey, step_number=1, type="JUMP"))
