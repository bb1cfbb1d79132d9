import pytest

from storage.pacing import CALM_ARRIVALS, LONGEST_REST_S, REST_FACTOR, WINDOW_S, Pacing


@pytest.fixture
def time_at():
    return [100.0]


@pytest.fixture
def pacing(time_at):
    return Pacing(clock=lambda: time_at[0])


def arrive(pacing, time_at, count, apart_s):
    for _ in range(count):
        pacing.note_arrival()
        time_at[0] += apart_s


def test_nothing_presses_before_anything_came(pacing):
    assert not pacing.is_pressed
    assert pacing.rest_s(1.0) == 0


def test_a_few_at_once_do_not_press(pacing, time_at):
    arrive(pacing, time_at, CALM_ARRIVALS, 0)
    assert pacing.rest_s(1.0) == 0


def test_many_that_come_slowly_do_not_press(pacing, time_at):
    arrive(pacing, time_at, 10 * CALM_ARRIVALS, 2 * WINDOW_S / CALM_ARRIVALS)
    assert pacing.rest_s(1.0) == 0


def test_many_at_once_press_and_the_rest_is_a_multiple_of_the_work(pacing, time_at):
    arrive(pacing, time_at, 2 * CALM_ARRIVALS, 0.001)
    assert pacing.rest_s(0.01) == pytest.approx(REST_FACTOR * 0.01)


def test_a_rest_is_never_long(pacing, time_at):
    arrive(pacing, time_at, 2 * CALM_ARRIVALS, 0.001)
    assert pacing.rest_s(60.0) == LONGEST_REST_S


def test_the_press_ends_with_what_came(pacing, time_at):
    arrive(pacing, time_at, 2 * CALM_ARRIVALS, 0.001)
    time_at[0] += WINDOW_S
    assert not pacing.is_pressed
