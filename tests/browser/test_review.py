"""Going through possible duplicates with the keyboard alone, with picks, and many in one go."""

from datetime import date

import pytest
from django.db import transaction

from crm_site.jobs.services import run_job
from customers.admin import bulk_merge as screen
from customers.admin import scans
from customers.choices import DuplicateResolution
from customers.models import (
    BulkMerge,
    CustomerProfile,
    DuplicateCandidate,
    DuplicateScan,
    ProfileMerge,
)
from customers.services.bulk_merging import run_bulk_merge
from customers.services.duplicate_scans import run_scan
from tests.factories import make_customer, make_duplicate

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAIRS = "/oakhill/admin/customers/duplicatecandidate/"


@pytest.fixture
def three(tenant, ann):
    """Three pairs, the likeliest first: 97, 96 and 60."""
    with transaction.atomic():
        return [
            make_duplicate(
                people=(
                    make_customer(first_name=name, last_name="Lee", city="Durban"),
                    make_customer(first_name=name, last_name="Lee", city="Ballito"),
                ),
                match_score=score,
            )
            for name, score in (("Ada", 97), ("Bea", 96), ("Cyd", 60))
        ]


def resolutions():
    with transaction.atomic():
        pairs = DuplicateCandidate.objects.order_by("-match_score")
        return list(pairs.values_list("resolution", flat=True))


def test_three_pairs_are_decided_by_keys_and_the_last_is_taken_back(browse, ann, three):
    page = browse(ann)
    page.goto(PAIRS)
    page.get_by_role("link", name="Start reviewing").click()
    place, who = page.locator(".rv-place"), page.locator(".rv-name").first
    expect(place).to_have_text("Pair 1 of 3")

    page.keyboard.press("j")
    expect(place).to_have_text("Pair 2 of 3")
    page.keyboard.press("k")
    expect(place).to_have_text("Pair 1 of 3")
    page.keyboard.press("m")
    expect(who).to_have_text("Bea Lee")
    expect(page.locator(".rv-undo")).to_contain_text("Merged into Ada Lee.")
    page.locator(".rv-notes").fill("mnu")  # Typed, not pressed.
    expect(who).to_have_text("Bea Lee")
    page.locator("h1, .rv-sentence").first.click()
    page.keyboard.press("n")
    expect(who).to_have_text("Cyd Lee")
    page.keyboard.press("i")
    page.get_by_text("Nothing left to review").wait_for()
    assert resolutions() == ["MERGED", "NOT_DUPLICATE", "IGNORED"]

    page.keyboard.press("u")
    expect(who).to_have_text("Cyd Lee")
    expect(page.locator(".rv-undo")).to_contain_text("Bea Lee")
    page.keyboard.press("u")
    expect(who).to_have_text("Bea Lee")
    page.keyboard.press("u")
    page.get_by_text("The merge is undone.").wait_for()
    assert resolutions() == [DuplicateResolution.PENDING] * 3


def test_a_pick_shows_at_once_what_comes_of_it_and_is_merged_so(browse, ann, three):
    page = browse(ann, width=390, height=844)
    page.goto(f"{PAIRS}{three[0].pk}/change/")
    row = page.locator(".rv-table tr", has=page.get_by_text("Address", exact=True))
    other = row.locator(".rv-value:not(.is-picked)")
    said = other.inner_text().rpartition(":")[2].strip()
    other.get_by_role("radio").check()

    expect(row.locator(".rv-result-text")).to_have_text(said)
    expect(row.locator("small")).to_have_text("your choice")
    expect(page.locator("#rv-status")).to_contain_text("The result is renewed.")
    page.locator("[name=survivor]:not(:checked)").check()
    expect(page.locator("[name=drawn]")).to_have_value("second")
    expect(row.locator(".rv-result-text")).to_have_text(said)
    page.get_by_role("button", name="Merge, keeping everything").click()
    page.locator(".rv-name", has_text="Bea Lee").first.wait_for()
    page.get_by_role("button", name="Undo").wait_for()

    with transaction.atomic():
        merge = ProfileMerge.objects.get()
        assert CustomerProfile.objects.get(pk=merge.survivor_id).city == said


def test_every_pair_over_a_score_is_merged_after_writing_how_many(browse, ann, three, monkeypatch):
    monkeypatch.setattr(screen, "nudge_on_commit", lambda job: None)
    page = browse(ann)
    page.goto(f"{PAIRS}merge-many/")
    page.get_by_label("Write 2 to merge these 2 pairs").wait_for()
    page.get_by_label("From a score of").fill("50")
    page.get_by_label("Write 3 to merge these 3 pairs").fill("3")
    page.get_by_role("button", name="Merge, keeping everything").click()
    page.get_by_text("Waiting for its turn").wait_for()

    with transaction.atomic():
        job = BulkMerge.objects.get()
    assert run_job(BulkMerge, job.pk, run_bulk_merge) == "SUCCESS"

    page.get_by_role("button", name="Undo the merge of Ada Lee").click()
    page.locator(".rv-outcomes").get_by_text("Undone").wait_for()
    assert resolutions() == ["PENDING", "MERGED", "MERGED"]


def test_a_search_shows_how_far_it_is_and_leads_to_the_pair_it_found(
    browse, ann, tenant, monkeypatch
):
    monkeypatch.setattr(scans, "nudge_on_commit", lambda job: None)
    with transaction.atomic():
        for name in ("Annabel", "Anabel"):
            make_customer(
                first_name=name, last_name="Nkosi", date_of_birth=date(1980, 4, 3),
                address_line1="12 Oak Road", city="Ballito",
            )  # fmt: skip
    page = browse(ann)
    page.goto(PAIRS)
    page.get_by_text("No search for duplicates has been made yet.").wait_for()
    page.get_by_role("link", name="Search now").or_(
        page.get_by_role("button", name="Search now")
    ).click()
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Waiting for its turn").wait_for()
    page.get_by_role("button", name="Cancel").wait_for()

    with transaction.atomic():
        job = DuplicateScan.objects.get()
    assert run_job(DuplicateScan, job.pk, run_scan) == "SUCCESS"

    page.get_by_text("1 possible duplicate, 1 of them new").wait_for()
    page.get_by_text("Similar first name, same last name").wait_for()
    page.get_by_role("link", name="Start reviewing").click()
    expect(page.locator(".rv-evidence li")).to_have_count(3)
    expect(page.locator(".rv-place")).to_have_text("Pair 1 of 1")
