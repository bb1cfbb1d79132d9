"""Trends are asked for when they are drawn, once, and again when they may have changed."""

from tui.trends import Trends


def test_what_is_drawn_is_asked_for_once() -> None:
    asks: list[int] = []
    trends = Trends(lambda: asks.append(1))
    assert [list(trends.of(source)) for source in (1, 2, 1)] == [[], [], []]
    assert (len(asks), trends.take_asked()) == (1, [1, 2])
    assert trends.take_asked() == []
    trends.learn({1: (3, 4)})
    assert (trends.of(1), trends.of(2), len(asks)) == ((3, 4), (), 1)
    trends.of(3)
    assert (len(asks), trends.take_asked()) == (2, [3])


def test_what_is_known_stands_until_it_is_known_anew() -> None:
    trends = Trends(lambda: None)
    trends.learn({1: (3, 4)})
    trends.of(2)
    trends.renew(is_same_time=True)
    assert trends.take_asked() == []
    assert trends.of(1) == (3, 4)
    assert trends.take_asked() == [1]


def test_nothing_of_another_time_is_shown() -> None:
    trends = Trends(lambda: None)
    trends.learn({1: (3, 4)})
    trends.renew(is_same_time=False)
    assert trends.of(1) == ()
    assert trends.take_asked() == [1]
