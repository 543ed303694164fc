"""Going through possible duplicates, as Ann, Ben and Cleo meet it."""

import re

import pytest
from django.utils import timezone

from customers.choices import DuplicateResolution
from customers.models import DuplicateCandidate, DuplicateScan
from tests.conftest import signed_in
from tests.factories import make_customer, make_duplicate

PAIRS = "/oakhill/admin/customers/duplicatecandidate/"


def page_of(pair):
    return f"{PAIRS}{pair.pk}/change/"


def rule(browser, pair, ruling="not-duplicate", **said):
    return browser.post(f"{PAIRS}{pair.pk}/rule/", {"ruling": ruling, **said})


@pytest.fixture
def pairs(tenant):
    """Three, the likeliest first."""
    return [make_duplicate(match_score=score) for score in (97, 80, 60)]


def test_the_review_begins_with_the_likeliest_pair(as_ann, pairs):
    answer = as_ann.get(f"{PAIRS}review/")

    assert answer.url == page_of(pairs[0])
    shown = as_ann.get(answer.url)
    assert (shown.context["place"], shown.context["total"]) == (1, 3)
    assert shown.context["next_url"] == page_of(pairs[1])
    assert pairs[0].profile_a.email in shown.content.decode()


def test_a_ruling_is_kept_with_its_reason_and_the_next_pair_opens(as_ann, ann, pairs):
    answer = rule(as_ann, pairs[0], notes=" Twins. ")

    assert answer.url == page_of(pairs[1])
    pairs[0].refresh_from_db()
    assert (pairs[0].resolution, pairs[0].notes) == (DuplicateResolution.NOT_DUPLICATE, "Twins.")
    assert pairs[0].resolved_by == f"user:{ann.pk}"
    assert list(as_ann.get(PAIRS).context["cl"].result_list) == pairs[1:]


def test_behind_the_last_pair_comes_the_first_that_is_left(as_ann, pairs):
    assert rule(as_ann, pairs[2], "ignore").url == page_of(pairs[0])

    rule(as_ann, pairs[0])
    last = rule(as_ann, pairs[1])

    assert "Nothing left to review" in as_ann.get(last.url).content.decode()


def test_pairs_with_one_score_follow_each_other_without_skipping(as_ann, tenant):
    made = {str(make_duplicate(match_score=80).pk) for _ in range(4)}
    seen, url = set(), as_ann.get(f"{PAIRS}review/").url
    for _ in range(4):
        shown = as_ann.get(url)
        seen.add(str(shown.context["pair"].pk))
        url = shown.context["next_url"]

    assert seen == made


def test_the_filters_of_the_list_narrow_the_review(as_ann, pairs):
    email = make_duplicate(match_score=81, match_type="phone")

    first = as_ann.get(f"{PAIRS}review/?_changelist_filters=sure%3D50%26why%3Dphone")

    assert first.url.startswith(page_of(email))
    shown = as_ann.get(first.url)
    assert shown.context["total"] == 1
    assert "_changelist_filters" in rule(
        as_ann, email, _changelist_filters="sure=50&why=phone"
    ).url  # fmt: skip


def test_the_last_ruling_is_taken_back(as_ann, pairs):
    rule(as_ann, pairs[0])
    last = as_ann.get(page_of(pairs[1])).context["last"]

    answer = as_ann.post(f"{PAIRS}undo/", {"decision": f"{last.kind}:{last.pk}"})

    assert answer.url == page_of(pairs[0])
    pairs[0].refresh_from_db()
    assert (pairs[0].resolution, pairs[0].resolved_by) == (DuplicateResolution.PENDING, None)
    assert as_ann.get(page_of(pairs[0])).context["last"] is None


def test_what_somebody_else_decided_meanwhile_stays(as_ann, pairs):
    pair = pairs[0]
    pair.resolution, pair.resolved_by = DuplicateResolution.IGNORED, "user:77"
    pair.resolved_at = timezone.now()
    pair.save()

    answer = as_ann.post(f"{PAIRS}{pair.pk}/rule/", {"ruling": "not-duplicate"}, follow=True)

    pair.refresh_from_db()
    assert pair.resolution == DuplicateResolution.IGNORED
    assert answer.context["pair"] == pairs[1]
    assert "Somebody has decided on this pair meanwhile." in answer.content.decode()


def test_a_pair_of_which_one_is_gone_is_no_longer_in_the_queue(as_ann, pairs):
    gone = pairs[0].profile_a
    gone.deleted_at = timezone.now()
    gone.save()

    assert as_ann.get(f"{PAIRS}review/").url == page_of(pairs[1])
    shown = as_ann.get(page_of(pairs[0])).content.decode()
    assert "is no longer a current customer" in shown
    assert 'data-key="n"' not in shown


def test_who_only_reads_looks_but_decides_nothing(as_ben, pairs):
    shown = as_ben.get(page_of(pairs[0])).content.decode()

    assert 'data-key="j"' in shown
    assert 'data-key="n"' not in shown
    assert rule(as_ben, pairs[0]).status_code == 403
    assert as_ben.post(f"{PAIRS}undo/", {"decision": f"ruling:{pairs[0].pk}"}).status_code == 403


def test_another_club_finds_no_pair_of_ours(cleo, pairs):
    browser = signed_in(cleo)

    assert browser.get(page_of(pairs[0])).status_code == 404
    assert browser.get(page_of(pairs[0]).replace("oakhill", "pinecrest")).status_code == 404
    assert rule(browser, pairs[0]).status_code == 404
    assert DuplicateCandidate.objects.pending().count() == 3


def test_values_of_customers_are_text_not_markup(as_ann, tenant):
    people = make_customer(first_name="<script>alert(1)</script>"), make_customer()

    shown = as_ann.get(page_of(make_duplicate(people=people))).content.decode()

    assert "<script>alert(1)" not in shown


@pytest.mark.parametrize("said", ["", "ruling:", "ruling:not-an-id", "merge:1"])
def test_undoing_nothing_is_not_found(as_ann, tenant, said):
    assert as_ann.post(f"{PAIRS}undo/", {"decision": said}).status_code == 404


def test_what_reviewers_decided_on_pairs_like_this_is_told(as_ann, pairs):
    for resolution, count in (("MERGED", 4), ("NOT_DUPLICATE", 1), ("IGNORED", 3)):
        for _ in range(count):
            make_duplicate(match_score=99, resolution=resolution)

    assert "Reviewers confirmed 4 of 5 like this." in as_ann.get(page_of(pairs[0])).content.decode()
    assert "Reviewers confirmed" not in as_ann.get(page_of(pairs[2])).content.decode()


def test_a_pair_page_costs_no_more_queries_in_a_long_queue(
    as_ann, pairs, django_assert_max_num_queries
):
    for _ in range(20):
        make_duplicate(match_score=70)

    with django_assert_max_num_queries(60):
        as_ann.get(page_of(pairs[0]))


def test_reviewing_starts_with_the_filters_of_the_list_it_was_started_from(as_ann, pairs):
    shown = as_ann.get(PAIRS).content.decode()
    address = re.search(r'href="([^"]*start-review[^"]*|[^"]*start_review[^"]*)"', shown)[1]

    answer = as_ann.get(address, headers={"referer": f"http://testserver{PAIRS}?sure=85"})
    bare = as_ann.get(address, headers={"referer": "http://elsewhere.test/?sure=85"})

    assert answer.url == f"{PAIRS}review/?_changelist_filters=sure%3D85"
    assert bare.url == f"{PAIRS}review/"


def test_a_possible_family_waits_behind_a_filter(as_ann, pairs):
    family = make_duplicate(
        kind="HOUSEHOLD", match_score=40,
        match_fields={
            "v": 1, "fields": [], "caps": ["other first name"],
            "agreements": {"email": "same", "firstName": "different"},
        },
    )  # fmt: skip
    assert family not in as_ann.get(PAIRS).context["cl"].result_list

    listed = as_ann.get(f"{PAIRS}?kind=family")
    shown = as_ann.get(f"{PAIRS}review/?_changelist_filters=kind%3Dfamily", follow=True)

    assert list(listed.context["cl"].result_list) == [family]
    assert "Same e-mail; different first name: family?" in listed.content.decode()
    assert (shown.context["pair"], shown.context["total"]) == (family, 1)
    assert as_ann.get(page_of(family)).context["place"] == 0  # Not among those to review.
    page = shown.content.decode()
    assert "possible family" in page
    assert "the first names differ" in page


def test_a_pair_ruled_on_is_found_again_whatever_its_kind(as_ann, tenant):
    family = make_duplicate(kind="HOUSEHOLD", match_score=40)
    rule(as_ann, family)

    assert list(as_ann.get(f"{PAIRS}?decision=mine").context["cl"].result_list) == [family]


def test_more_than_two_are_shown_whole_to_be_decided_pair_by_pair(as_ann, tenant):
    one, two, three = (make_customer(last_name=name) for name in ("Uno", "Due", "Tre"))
    pair = make_duplicate(people=(one, two), match_score=90)
    other = make_duplicate(people=(two, three), match_score=70)
    apart = make_duplicate(people=(one, three), kind="HOUSEHOLD", match_score=40)

    group = as_ann.get(page_of(pair)).context["group"]

    assert group.people_count == 3
    assert [(each.url, each.is_here) for each in group.pairs] == [
        (page_of(pair), True), (page_of(other), False),
    ]  # fmt: skip
    assert [each.url for each in group.apart] == [page_of(apart)]
    assert as_ann.get(page_of(make_duplicate())).context["group"] is None


def test_the_end_of_the_review_tells_of_the_last_search(as_ann, tenant):
    DuplicateScan.objects.create(
        requested_by="user:test", status="SUCCESS", finished_at=timezone.now(), profile_count=7
    )

    assert "7 customers" in as_ann.get(f"{PAIRS}review/").content.decode()
