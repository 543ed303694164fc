"""Merging every pair over a score in one go."""

import pytest
from django.db import transaction

from crm_site.jobs.services import cancel_job, run_job
from crm_site.tenancy.context import tenant_scope
from customers.admin import bulk_merge as screen
from customers.choices import CustomerStatus, DuplicateResolution
from customers.models import BulkMerge, CustomerProfile, DuplicateCandidate, ProfileMerge
from customers.services.bulk_merging import (
    BulkMergeError,
    plan_bulk_merge,
    request_bulk_merge,
    run_bulk_merge,
)
from customers.services.duplicates import resolve_duplicate
from tests.conftest import ACTOR, signed_in
from tests.factories import make_activity, make_customer, make_duplicate

PAIRS = "/oakhill/admin/customers/duplicatecandidate/"
BULK = f"{PAIRS}merge-many/"


@pytest.fixture(autouse=True)
def silent_bell(monkeypatch):
    """No broker here: the test is the worker."""
    monkeypatch.setattr(screen, "nudge_on_commit", lambda job: None)


def run(job):
    status = run_job(BulkMerge, job.pk, run_bulk_merge)
    with transaction.atomic():
        return status, [(row.merge_id is not None, row.refusal) for row in job.pairs.all()]


def ask(score=90, count=None):
    with transaction.atomic():
        count = len(plan_bulk_merge(min_score=score).pairs) if count is None else count
        return request_bulk_merge(min_score=score, seen_count=count, actor=ACTOR)


def test_the_sum_tells_of_every_pair_over_the_score_and_writes_nothing(as_ann, pairs_of_three):
    shown = as_ann.get(f"{BULK}?score=90")

    assert shown.context["count"] == 2
    assert "2 activities" in shown.context["moving"]
    assert "Write <b>2</b> to merge" in shown.content.decode()
    assert (BulkMerge.objects.count(), ProfileMerge.objects.count()) == (0, 0)


@pytest.fixture
def pairs_of_three(tenant):
    """Two likely, one less so; of each the second has an activity."""
    made = [make_duplicate(match_score=score) for score in (98, 95, 60)]
    for pair in made:
        make_activity(customer=pair.profile_b)
    return made


def test_it_begins_only_with_the_number_of_pairs_written_by_hand(as_ann, pairs_of_three):
    for written in ("", "3", "two", "-1", "1e99"):
        answer = as_ann.post(BULK, {"score": "90", "confirm": written})
        assert answer.url == f"{BULK}?score=90"
    assert BulkMerge.objects.count() == 0

    answer = as_ann.post(BULK, {"score": "90", "confirm": "2"})

    job = BulkMerge.objects.get()
    assert answer.url == f"/oakhill/admin/customers/bulkmerge/{job.pk}/change/"
    assert "Waiting for its turn" in as_ann.get(answer.url).content.decode()
    again = as_ann.post(BULK, {"score": "90", "confirm": "2"}, follow=True)
    assert "under way" in again.content.decode()


@pytest.mark.parametrize("score", ["49", "101", "-5"])
def test_a_score_out_of_range_is_refused_in_words(as_ann, tenant, score):
    assert "Choose a score from 50 to 100." in as_ann.get(f"{BULK}?score={score}").content.decode()


def test_who_may_not_merge_and_another_club_merge_nothing(as_ben, cleo, pairs_of_three):
    assert as_ben.get(BULK).status_code == 403
    assert as_ben.post(BULK, {"score": "90", "confirm": "2"}).status_code == 403
    theirs = signed_in(cleo).get(BULK.replace("oakhill", "pinecrest"))
    assert theirs.context["count"] == 0


@pytest.mark.django_db(transaction=True)
class TestTheWork:
    def test_each_pair_is_merged_and_each_merge_can_be_undone(self, ann, tenant):
        with transaction.atomic():
            pairs = [make_duplicate(match_score=score) for score in (98, 95, 60)]
        job = ask()

        assert run(job) == ("SUCCESS", [(True, None), (True, None)])

        with transaction.atomic():
            states = [DuplicateCandidate.objects.get(pk=pair.pk).resolution for pair in pairs]
            assert states == ["MERGED", "MERGED", "PENDING"]
            merge, browser = job.pairs.first().merge, signed_in(ann)
        page = f"/oakhill/admin/customers/bulkmerge/{job.pk}/change/"
        with tenant_scope(""):  # A request starts in nobody's scope.
            assert browser.get(page).context["merged"] == 2
            browser.post(f"{PAIRS}undo/", {"decision": f"merge:{merge.pk}", "back": page})
            assert "Undone" in browser.get(page).content.decode()
        with transaction.atomic():
            assert ProfileMerge.objects.standing().count() == 1

    def test_in_a_chain_nobody_is_merged_on_the_word_of_a_pair_that_was_another(self, tenant):
        with transaction.atomic():
            one, two, three = (make_customer() for _ in range(3))
            CustomerProfile.objects.filter(pk=one.pk).update(scl_member_id=1)
            CustomerProfile.objects.filter(pk=three.pk).update(scl_member_id=3)
            make_duplicate(people=(one, two), match_score=99)
            make_duplicate(people=(two, three), match_score=97)
        job = ask()

        status, outcome = run(job)

        assert status == "SUCCESS"
        assert outcome[0] == (True, None)
        assert outcome[1][0] is False
        assert "merged with somebody else meanwhile" in outcome[1][1]
        with transaction.atomic():
            assert CustomerProfile.objects.get(pk=three.pk).status == CustomerStatus.ACTIVE

    def test_what_somebody_ruled_on_meanwhile_is_left_alone(self, tenant):
        with transaction.atomic():
            pair = make_duplicate(match_score=99)
            make_duplicate(match_score=98)
        job = ask()
        with transaction.atomic():
            resolve_duplicate(
                pair=pair, resolution=DuplicateResolution.NOT_DUPLICATE, notes=None, actor=ACTOR
            )

        assert run(job)[1] == [(False, "Somebody has decided on this pair meanwhile."),
                               (True, None)]  # fmt: skip

    def test_it_stops_between_two_pairs_and_the_rest_waits_as_before(self, tenant, monkeypatch):
        with transaction.atomic():
            for score in (99, 98, 97):
                make_duplicate(match_score=score)
        job = ask()

        def stopped_after_one(found, report):
            holds = []

            class Stopping:
                def __call__(self, *args):
                    return report(*args)

                def hold(self):
                    if holds:
                        cancel_job(BulkMerge, found.pk)
                    holds.append(1)
                    return report.hold()

            run_bulk_merge(found, Stopping())

        assert run_job(BulkMerge, job.pk, stopped_after_one) == "CANCELLED"
        with transaction.atomic():
            assert DuplicateCandidate.objects.pending().count() == 2
            assert job.pairs.filter(settled_at__isnull=True).count() == 2

    def test_more_or_fewer_pairs_than_agreed_to_are_refused(self, tenant):
        with transaction.atomic():
            make_duplicate(match_score=99)
        with pytest.raises(BulkMergeError, match="There are 1 such pairs by now"):
            ask(count=2)
        with pytest.raises(BulkMergeError, match="no pairs with such a score"):
            ask(score=100)
