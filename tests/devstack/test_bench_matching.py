"""The floors that the model is held to, on sets small enough for every run of the suite.

`make bench-matching` prints all figures, up to a million profiles (docs/benchmarks.md).
"""

import csv
import time

import pytest

from crm_site.devstack.bench.matching.clubs import make_club
from crm_site.devstack.bench.matching.febrl import febrl
from crm_site.devstack.bench.matching.truth import at_probability, at_score, quality
from customers.matching.preparing import COLUMNS
from customers.matching.scanning import scan


@pytest.fixture(scope="module")
def club(tmp_path_factory):
    """Families, twins, juniors, and who is on file twice; a seed the model was not set on."""
    folder = tmp_path_factory.mktemp("club")
    truth = make_club(folder / "profiles.csv", profiles=3_000, seed=2029)
    return truth, scan(truth.path, folder=folder)


def test_typing_errors_are_seen_through(tmp_path):
    truth = febrl(1, tmp_path / "profiles.csv")

    pairs = scan(truth.path, folder=tmp_path).pairs

    assert len(truth.same_person) == 500
    capped, uncapped = at_score(pairs, 50), at_probability(pairs, 0.5)
    assert quality(capped, truth).f1 >= 0.90
    assert quality(uncapped, truth).f1 >= 0.97
    assert quality(uncapped, truth).precision >= 0.995


def test_a_club_of_families_reaches_its_floor(club):
    truth, found = club

    reached = quality(at_score(found.pairs, 50), truth)

    assert reached.precision >= 0.85
    assert reached.recall >= 0.83
    assert reached.f1 >= 0.86


def test_twins_and_other_relatives_are_told_apart(club):
    truth, found = club

    queued = at_score(found.pairs, 50)

    assert not queued & truth.twins
    other_relatives = truth.relatives - truth.namesakes - truth.same_person
    assert len(queued & other_relatives) <= len(queued) // 50


def test_what_is_almost_certain_is(club):
    truth, found = club

    assert quality(at_score(found.pairs, 95), truth).precision >= 0.97


def test_the_same_file_gives_the_same_pairs(club, tmp_path):
    truth, found = club

    assert {(p.first, p.second, p.score) for p in scan(truth.path, folder=tmp_path).pairs} == {
        (p.first, p.second, p.score) for p in found.pairs
    }


def test_a_crowd_all_called_test_is_done_and_said(tmp_path):
    path = tmp_path / "profiles.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(200_000):
            writer.writerow([f"{number:032x}", "Test", "Test", "1990-05-17", *[""] * 5, ""])
    started = time.monotonic()

    found = scan(path, folder=tmp_path)

    assert found.profile_count == 200_000
    assert (found.compared_count, found.pairs) == (0, [])
    assert any("200,000 customers share" in str(each) for each in found.skipped)
    assert time.monotonic() - started < 60


def test_a_value_that_too_many_share_is_left_out_and_said(tmp_path):
    path = tmp_path / "profiles.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(500):
            row = [f"{number:032x}", f"A{number}", f"B{number}", "", "info@club.example"]
            writer.writerow([*row, *[""] * 5])

    found = scan(path, folder=tmp_path)

    assert [str(each) for each in found.skipped][:1] == [
        "500 customers share one e-mail address with too many others"
    ]
