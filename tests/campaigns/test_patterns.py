"""Cron patterns as people say them."""

from datetime import time

import pytest

from campaigns.services.patterns import LAST_DAY, Repeats, Rhythm, describe, to_pattern, to_rhythm

NINE = time(9)


@pytest.mark.parametrize(
    ("rhythm", "pattern", "words"),
    [
        (Rhythm(Repeats.DAILY, NINE), "0 9 * * *", "Every day at 09:00"),
        (Rhythm(Repeats.WEEKLY, NINE, [1]), "0 9 * * 1", "Every Monday at 09:00"),
        (
            Rhythm(Repeats.WEEKLY, time(17, 30), [0, 2, 4]),
            "30 17 * * 0,2,4",
            "Every Sunday, Tuesday and Thursday at 17:30",
        ),
        (
            Rhythm(Repeats.MONTHLY, NINE, day="15"),
            "0 9 15 * *",
            "On day 15 of every month at 09:00",
        ),
        (
            Rhythm(Repeats.MONTHLY, NINE, day=LAST_DAY),
            "0 9 L * *",
            "On the last day of every month at 09:00",
        ),
    ],
)
def test_a_choice_becomes_a_pattern_and_comes_back(rhythm, pattern, words):
    back = to_rhythm(pattern)

    assert to_pattern(rhythm) == pattern
    assert to_pattern(back) == pattern
    assert (back.repeats, back.at, back.weekdays) == (rhythm.repeats, rhythm.at, rhythm.weekdays)
    assert describe(pattern) == words


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("0 9 * * MON-FRI", "At 09:00 on Monday, Tuesday, Wednesday, Thursday and Friday"),
        ("0 9 * * 7", "At 09:00 on Sunday"),
        ("0 9,17 * * *", "At 09:00 and 17:00"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 */2 * * *", "Every 2 hours at 0 minutes past"),
        ("30 * * * *", "Every hour at 30 minutes past"),
        ("* * * * *", "Every minute"),
        ("0 9 1,15 * *", "At 09:00 on day 1 and 15"),
        ("0 9 * * MON#1", "At 09:00 on the first Monday"),
        ("0 9 * * 5L", "At 09:00 on the last Friday"),
        ("0 9 LW * *", "At 09:00 on the last working day"),
        ("0 9 1 1,7 *", "At 09:00 on day 1 in January and July"),
        ("0 9 13 * 5", "At 09:00 on day 13 or on Friday"),
        ("*/10 8-17 * * *", "Every 10 minutes, between 08:00 and 17:59"),
        ("often", ""),
        ("61 9 * * *", ""),
        ("0 9 32 * *", ""),
        ("", ""),
    ],
)
def test_patterns_that_no_choice_makes_are_told_field_by_field(pattern, words):
    assert describe(pattern) == words
