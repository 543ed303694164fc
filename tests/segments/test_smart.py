"""Segments by model: who is likely to lapse, to come back, or like the members of another."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Avg
from django.utils import timezone

from crm_site.jobs.services import run_job
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, CustomerProfile
from segments import tasks
from segments.choices import RefreshStatus
from segments.models import CustomerSegment, CustomerSegmentMembership, SegmentTrial
from segments.rules.errors import RuleError
from segments.rules.smart import parse_smart
from segments.services import trials
from segments.services.authoring import delete_segment, save_segment
from segments.services.matching import explain
from segments.services.membership import change_members
from segments.services.refreshing import SegmentError, request_refresh, run_refresh
from tests.factories import make_customer, make_segment

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DAYS = 560


def people(count, prefix):
    return CustomerProfile.objects.bulk_create(
        CustomerProfile(first_name=prefix, last_name=f"{number:03}") for number in range(count)
    )


def plays(customers, every, *, until=lambda customer: 0):
    """A round about every so many days, until so many days ago."""
    dice = random.Random(7)
    rounds = []
    for customer in customers:
        day, last = DAYS - dice.uniform(0, every), until(customer)
        while day > last:
            rounds.append(
                Activity(
                    customer=customer,
                    type="ROUND_PLAYED",
                    category="BOOKING",
                    title="Round",
                    source_service="teetime",
                    occurred_at=NOW - timedelta(days=day),
                )
            )
            day -= dice.expovariate(1 / every)
    Activity.objects.bulk_create(rounds)


def tried(question, actor, now=NOW):
    job = trials.request_trial(question=parse_smart(question), actor=actor, now=now)
    run_job(SegmentTrial, job.pk, lambda job, report: trials.run_trial(job, report, now=now))
    job.refresh_from_db()
    return job


def filled(question, actor, **values):
    """A saved segment by model, tried and refreshed."""
    assert tried(question, actor).error is None
    segment = CustomerSegment(name="By model", type="SMART", criteria=question, **values)
    refresh = save_segment(segment, actor=actor, now=timezone.now())
    done = run_refresh(refresh_id=refresh.pk, now=NOW)
    segment.refresh_from_db()
    return segment, done


@pytest.fixture
def regulars(tenant, actor):
    """A list of 60 who play every week; 60 more who do are not in it, and 280 hardly play."""
    keen, seldom = people(120, "Keen"), people(280, "Seldom")
    plays(keen, 8)
    plays(seldom, 90)
    vips = make_segment(name="VIPs", type="STATIC", criteria=None)
    change_members(segment=vips, add=[each.pk for each in keen[:60]], actor=actor, now=NOW)
    return vips


def test_a_look_alike_beats_the_base_rate_and_leaves_those_who_are_in_out(regulars, actor):
    question = {"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}

    segment, done = filled(question, actor)

    assert (done.status, segment.member_count) == (RefreshStatus.SUCCESS, 50)
    members = CustomerSegmentMembership.objects.filter(segment=segment)
    keen = members.filter(customer__first_name="Keen").count()
    assert keen / 50 > 3 * (60 / 340)
    own = regulars.memberships.values("customer_id")
    assert not members.filter(customer_id__in=own).exists()
    assert done.quality["auc"] > 0.8
    assert done.quality["precision"] > 2 * done.quality["base_rate"]


def test_every_member_has_a_score_and_reasons_in_words(regulars, actor):
    segment, _ = filled({"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}, actor)

    best = segment.memberships.select_related("customer").order_by("-match_score").first()
    why = explain(segment, best.customer, now=NOW)
    stranger = explain(segment, regulars.memberships.first().customer, now=NOW)

    assert 0.5 < best.match_score <= 1
    assert why.is_member
    assert why.match_score == best.match_score
    assert any("came on" in words.lower() or "ago" in words for words in why.why)
    assert (stranger.is_member, stranger.match_score, stranger.why) == (False, None, [])


def test_a_score_decides_instead_of_a_number(regulars, actor):
    question = {"model": "LOOKALIKE", "segment": str(regulars.pk), "minScore": 0.5}

    segment, done = filled(question, actor)

    assert 30 <= segment.member_count <= 120
    assert segment.memberships.filter(match_score__lt=0.5).count() == 0
    assert done.quality["expected_count"] == pytest.approx(segment.member_count, rel=0.3, abs=12)


def test_who_came_less_and_less_is_most_likely_to_lapse(tenant, actor):
    steady, fading = people(250, "Steady"), people(250, "Fading")
    plays(steady, 9)
    dice = random.Random(3)
    gone = {each.pk: dice.uniform(0, DAYS - 100) for each in fading}
    plays(fading, 30, until=lambda each: gone[each.pk])

    segment, done = filled({"model": "LAPSE", "size": 40}, actor)

    assert done.status == RefreshStatus.SUCCESS
    assert segment.memberships.filter(customer__first_name="Fading").count() >= 36
    assert done.quality["auc"] > 0.7


def test_who_came_often_before_is_most_likely_to_come_back(tenant, actor):
    """Two kinds of absence: pauses of people who play, and people who are gone."""
    dice = random.Random(5)
    pausing, gone = people(250, "Pausing"), people(250, "Gone")
    left = {each.pk: dice.uniform(100, DAYS - 20) for each in gone}
    plays(pausing, 70)
    plays(gone, 12, until=lambda each: left[each.pk])

    segment, done = filled({"model": "RETURN", "size": 20}, actor)

    members = segment.memberships
    assert done.status == RefreshStatus.SUCCESS
    assert members.filter(customer__first_name="Pausing").count() >= 17
    assert members.aggregate(mean=Avg("match_score"))["mean"] > 0.3


def test_too_little_history_is_refused_with_its_reason(tenant, actor):
    plays(people(5, "New"), 8, until=lambda each: DAYS - 40)

    job = tried({"model": "LAPSE", "size": 10}, actor, now=NOW - timedelta(days=DAYS - 40))

    assert job.status == "FAILED"
    assert job.error == "9 months of visits are needed to learn from; there are 1 so far."


def test_a_list_too_small_to_be_like_is_refused(regulars, actor):
    few = make_segment(name="Few", type="STATIC", criteria=None)
    ids = list(regulars.memberships.values_list("customer_id", flat=True)[:5])
    change_members(segment=few, add=ids, actor=actor, now=NOW)

    job = tried({"model": "LOOKALIKE", "segment": str(few.pk), "size": 10}, actor)

    assert (job.status, job.quality) == ("FAILED", None)
    assert job.error.startswith("There are too few members the segment has")
    assert "5; 50 are needed" in job.error


def test_members_that_nothing_tells_apart_are_refused(tenant, actor):
    everybody = people(400, "Same")
    plays(everybody, 20)
    some = make_segment(name="Some", type="STATIC", criteria=None)
    drawn = random.Random(1).sample([each.pk for each in everybody], 100)
    change_members(segment=some, add=drawn, actor=actor, now=NOW)

    job = tried({"model": "LOOKALIKE", "segment": str(some.pk), "size": 10}, actor)

    assert job.status == "FAILED"
    assert "little better than chance" in job.error


def test_a_model_is_tried_before_it_is_saved(regulars, actor):
    question = {"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}
    segment = CustomerSegment(name="Untried", type="SMART", criteria=question)

    with pytest.raises(trials.UntriedError):
        save_segment(segment, actor=actor, now=timezone.now())
    assert tried(question, actor).quality["held_out_count"] > 0
    save_segment(segment, actor=actor, now=timezone.now())
    segment.criteria = question | {"size": 51}
    with pytest.raises(trials.UntriedError):
        save_segment(segment, actor=actor, now=timezone.now())


def test_a_failed_refresh_keeps_members_and_says_why(regulars, actor):
    segment, _ = filled({"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}, actor)
    own = list(regulars.memberships.values_list("customer_id", flat=True))
    change_members(segment=regulars, remove=own[:50], actor=actor, now=NOW)

    refresh = request_refresh(segment_id=segment.pk, actor=actor, now=NOW)
    done = run_refresh(refresh_id=refresh.pk, now=NOW)

    assert done.status == RefreshStatus.FAILED
    assert "too few" in done.error
    assert segment.memberships.count() == 50


def test_the_segment_that_others_are_like_is_in_use(regulars, actor):
    filled({"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}, actor)

    with pytest.raises(SegmentError, match="used by segment “By model”"):
        delete_segment(regulars, now=NOW)


def test_a_model_is_asked_within_its_tenant(regulars, actor, other_tenant):
    question = {"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}
    with tenant_scope(other_tenant.pk):
        make_customer()
        with pytest.raises(RuleError, match="no such segment"):
            trials.request_trial(question=parse_smart(question), actor=actor, now=NOW)
        assert not SegmentTrial.objects.exists()


@pytest.mark.parametrize(
    ("criteria", "path"),
    [
        ([], "criteria"),
        ({"model": "MAGIC", "size": 5}, "criteria.model"),
        ({"model": "LAPSE"}, "criteria.size"),
        ({"model": "LAPSE", "size": 5, "minScore": 0.5}, "criteria.size"),
        ({"model": "LAPSE", "size": True}, "criteria.size"),
        ({"model": "LAPSE", "size": 0}, "criteria.size"),
        ({"model": "LAPSE", "size": 100_001}, "criteria.size"),
        ({"model": "LAPSE", "minScore": 1}, "criteria.minScore"),
        ({"model": "LAPSE", "minScore": "0.5"}, "criteria.minScore"),
        ({"model": "LAPSE", "size": 5, "segment": "x"}, "criteria.segment"),
        ({"model": "LOOKALIKE", "size": 5}, "criteria.segment"),
        ({"model": "LOOKALIKE", "size": 5, "segment": "x"}, "criteria.segment"),
        ({"model": "LAPSE", "size": 5, "depth": 3}, "criteria.depth"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_its_path(criteria, path):
    with pytest.raises(RuleError) as refused:
        parse_smart(criteria)

    assert refused.value.path == path


def test_a_model_is_tried_and_saved_over_http(
    client, tenant, key_for, regulars, actor, monkeypatch
):
    headers = key_for(tenant, "segments:read", "segments:write")
    question = {"model": "LOOKALIKE", "segment": str(regulars.pk), "size": 50}
    monkeypatch.setattr(tasks.refresh_one, "delay", lambda *args: None)

    def send(path, body):
        return client.post(f"/api/v1/{path}/", body, content_type="application/json", **headers)

    wanted = {"name": "Alike", "type": "SMART", "criteria": question}
    untried = send("segments", wanted)
    asked = send("segment-trials", {"question": question})
    wrong = send("segment-trials", {"question": question | {"size": 0}})
    tried(question, actor, now=timezone.now())
    shown = client.get(asked.headers["Location"], **headers).json()
    saved = send("segments", wanted)

    assert (untried.status_code, untried.json()["code"]) == (409, "untried")
    assert asked.status_code == 202
    assert wrong.status_code == 400
    assert "criteria.size" in wrong.content.decode()
    assert shown["quality"]["auc"] > 0.8
    assert saved.status_code == 201, saved.json()
    assert saved.json()["criteria"] == question
    segment = CustomerSegment.objects.get(pk=saved.json()["id"])
    run_refresh(refresh_id=segment.refreshes.get().pk, now=NOW)
    member = segment.memberships.first().customer_id
    why = client.get(f"/api/v1/segments/{segment.pk}/explain/?customer={member}", **headers).json()
    assert why["matchScore"] > 0
    assert why["why"]


def test_the_form_tries_a_model_before_it_saves_it(
    client, tenant, ann, ben, regulars, actor, monkeypatch
):
    base = f"/{tenant.pk}/admin/segments/customersegment/"
    monkeypatch.setattr(tasks.refresh_one, "delay", lambda *args: None)
    said = {
        **{"name": "Alike", "type": "SMART", "refresh_frequency": "WEEKLY", "is_active": "on"},
        **{"smart_model": "LOOKALIKE", "smart_segment": str(regulars.pk), "smart_size": "50"},
    }
    client.force_login(ann)

    untried = client.post(f"{base}add/", said)
    asked = client.post(f"{base}try/", said).content.decode()
    unsaid = client.post(f"{base}try/", said | {"smart_segment": ""}).content.decode()
    job = SegmentTrial.objects.get()
    tried(job.question, actor, now=timezone.now())
    followed = client.get(f"{base}trial/{job.pk}/").content.decode()
    saved = client.post(f"{base}add/", said)

    assert "Try the model first" in untried.content.decode()
    assert "Waiting for its turn" in asked
    assert "a segment&#x27;s id" in unsaid
    assert "Tried on" in followed
    assert saved.status_code == 302
    segment = CustomerSegment.objects.get(name="Alike")
    run_refresh(refresh_id=segment.refreshes.get().pk, now=NOW)
    page = client.get(f"{base}{segment.pk}/change/").content.decode()
    assert "The 50 customers who look most like members of “VIPs”" in page
    members = client.get(f"{base}{segment.pk}/tab/members/").content.decode()
    assert "Score, and why" in members
    client.force_login(ben)
    assert client.get(f"{base}{segment.pk}/change/").status_code == 200
    assert client.post(f"{base}try/", said).status_code == 403
