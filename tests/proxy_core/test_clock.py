import random
import time

import pytest

from proxy_core.clock import WallReadings, new_exchange_id, now_us, wall_to_us

SET_US = 1_000_000
"""By more the wall's clock is not set while tests run."""


def test_the_clock_tells_the_time_and_never_goes_back() -> None:
    before_us = time.time_ns() // 1000
    readings = [now_us() for _ in range(100)]
    after_us = time.time_ns() // 1000
    assert readings == sorted(readings)
    assert before_us - SET_US < readings[0] < after_us + SET_US


def test_a_wall_clock_reading_is_moved_onto_it() -> None:
    assert wall_to_us(None) is None
    before_us = now_us()
    ago = wall_to_us(time.time() - 10)
    assert ago is not None
    assert before_us - SET_US < ago + 10_000_000 < now_us() + SET_US


def test_a_reading_that_cannot_be_true_becomes_now(monkeypatch) -> None:
    before_us, stamp = now_us(), time.time()
    monkeypatch.setattr(time, "time", lambda: stamp - 3600)  # somebody set the clock back in between
    read = wall_to_us(stamp)
    assert read is not None
    assert before_us - SET_US < read < now_us() + SET_US


def test_ids_sort_by_time_and_are_uuids_of_version_7() -> None:
    ids = [new_exchange_id(1_700_000_000_000_000 + step) for step in range(0, 5000, 7)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(text) == 32 and text[12] == "7" and text[16] in "89ab" for text in ids)


HOUR_US = 3_600_000_000


class Clocks:
    """Our clock and the wall's, which can be set."""

    def __init__(self) -> None:
        self.now_us = 1_700_000_000_000_000
        self.ahead_us = 0
        self.readings = WallReadings(lambda: self.now_us, self.wall_s)

    def wall_s(self) -> float:
        return (self.now_us + self.ahead_us) / 1_000_000


@pytest.mark.parametrize("step_us", [HOUR_US, -HOUR_US, 30 * 24 * HOUR_US, -30 * 24 * HOUR_US])
def test_a_clock_that_is_set_moves_no_reading(step_us: int) -> None:
    clocks = Clocks()
    assert clocks.readings.to_us(clocks.wall_s()) == clocks.now_us
    before_us, before_s = clocks.now_us, clocks.wall_s()
    clocks.now_us += 20_000
    clocks.ahead_us += step_us
    after_us, after_s = clocks.now_us, clocks.wall_s()
    clocks.now_us += 30_000
    for _ in range(3):
        assert abs(clocks.readings.to_us(before_s) - before_us) <= 1, "taken before it was set, read afterwards"
        assert abs(clocks.readings.to_us(after_s) - after_us) <= 1
        clocks.now_us += 1_000_000
    clocks.now_us += HOUR_US
    assert abs(clocks.readings.to_us(clocks.wall_s() - 5) - (clocks.now_us - 5_000_000)) <= 1


def test_a_clock_that_is_set_again_and_again_moves_none_either() -> None:
    clocks, chance = Clocks(), random.Random(5)
    for _ in range(500):
        clocks.now_us += chance.randrange(1, 2_000_000)
        taken_us, stamp_s = clocks.now_us, clocks.wall_s()
        if chance.random() < 0.1:
            clocks.ahead_us += chance.choice((-1, 1)) * chance.randrange(1_000_000, 10 * HOUR_US)
        clocks.now_us += 1_000
        assert abs(clocks.readings.to_us(stamp_s) - taken_us) <= 1
