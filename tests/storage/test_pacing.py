import pytest

from storage.pacing import CALM_ARRIVALS, LEAST_SHARE, LONGEST_REST_S, MOST_SHARE, PATIENCE_S, WINDOW_S, Pacing


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


def share_of_time(pacing, work_s):
    """Return the share of its time that one works who has worked so long on each of many."""
    for _ in range(200):
        rest_s = pacing.rest_s(work_s)
    return work_s / (work_s + rest_s)


def test_nothing_presses_before_anything_came(pacing):
    assert not pacing.is_pressed
    assert pacing.rest_s(1.0) == 0


def test_a_few_at_once_do_not_press(pacing, time_at):
    arrive(pacing, time_at, CALM_ARRIVALS, 0)
    assert pacing.rest_s(1.0) == 0


def test_many_that_come_slowly_do_not_press(pacing, time_at):
    arrive(pacing, time_at, 10 * CALM_ARRIVALS, 2 * WINDOW_S / CALM_ARRIVALS)
    assert pacing.rest_s(1.0) == 0


def test_a_burst_goes_first(pacing, time_at):
    arrive(pacing, time_at, 2 * CALM_ARRIVALS, 0.001)
    assert share_of_time(pacing, 0.01) == pytest.approx(LEAST_SHARE)


def test_what_goes_on_is_kept_up_with(pacing, time_at):
    per_second = 50
    arrive(pacing, time_at, round(2 * PATIENCE_S * per_second), 1 / per_second)
    work_s = 0.006
    share = share_of_time(pacing, work_s)
    assert per_second * work_s < share <= MOST_SHARE


def test_who_kept_up_a_moment_ago_gives_way_again(pacing, time_at):
    arrive(pacing, time_at, round(2 * PATIENCE_S * 50), 1 / 50)
    pacing.note_idle()
    assert share_of_time(pacing, 0.006) == pytest.approx(LEAST_SHARE)


def test_what_is_out_of_reach_is_left_until_it_is_over(pacing, time_at):
    arrive(pacing, time_at, round(2 * PATIENCE_S * 50), 1 / 50)
    shares = [share_of_time(pacing, work_s) for work_s in (0.008, 0.012, 0.02, 0.2)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] <= MOST_SHARE
    assert shares[-1] == pytest.approx(LEAST_SHARE, abs=0.1)


def test_a_rest_is_never_long(pacing, time_at):
    arrive(pacing, time_at, 2 * CALM_ARRIVALS, 0.001)
    assert pacing.rest_s(60.0) == LONGEST_REST_S


def test_the_press_ends_with_what_came(pacing, time_at):
    arrive(pacing, time_at, 2 * CALM_ARRIVALS, 0.001)
    time_at[0] += WINDOW_S
    assert not pacing.is_pressed
