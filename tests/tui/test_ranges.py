"""Stretches of time, and which one has something to show."""

import pytest

from storage.ranges import DAY_US, HOUR_US
from tui.ranges import PERIODS, longer_time, next_period, range_of, reaching, within

NOW_US = 1_800_000_000_000_000
HOUR, DAY, WEEK, MONTH, ALL = PERIODS


@pytest.mark.parametrize(
    ("start", "age_us", "expected"),
    [
        (DAY, 0, DAY),
        (DAY, DAY_US, DAY),
        (DAY, DAY_US + 1, WEEK),
        (DAY, 8 * DAY_US, MONTH),
        (DAY, 400 * DAY_US, ALL),
        (HOUR, 2 * HOUR_US, DAY),
        (WEEK, HOUR_US, WEEK),
        (ALL, HOUR_US, ALL),
    ],
)
def test_the_shortest_time_that_reaches_the_newest_request_is_shown(start, age_us, expected) -> None:
    assert reaching(start, NOW_US - age_us, NOW_US) is expected


def test_without_a_request_the_time_stays() -> None:
    assert reaching(DAY, None, NOW_US) is DAY


def test_periods_go_round_and_have_words() -> None:
    assert next_period(ALL) is HOUR
    assert range_of(HOUR, NOW_US).since_us == NOW_US - HOUR_US
    assert range_of(ALL, NOW_US).since_us is None
    assert within(DAY) == "in the last 24 hours"
    assert within(ALL) == "so far"
    assert "[$accent]w[/]" in longer_time(DAY)
    assert "[$accent]l[/]" in longer_time(ALL)
