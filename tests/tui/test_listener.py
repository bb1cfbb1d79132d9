"""When the screens hear that something was stored: at once, and then not again before a rest."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.dashboard_rig import FakeLive
from tui import listener
from tui.listener import Listener
from tui.messages import CountersRead, StoreChanged
from tui.screens.live import LiveScreen


class FakeApp:
    """What of an app a listener uses; time passes when it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        self.screen = LiveScreen()
        self.screen_stack = [self.screen]
        self.told: list[object] = []
        self.later: list[Callable[[], None]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.intervals: list[Callable[[], None]] = []
        monkeypatch.setattr(self.screen, "post_message", self.told.append)
        monkeypatch.setattr("tui.listener.time.monotonic", lambda: self.now_s)

    def call_later(self, callback: Callable[[], None]) -> None:
        self.later.append(callback)

    def set_timer(self, delay_s: float, callback: Callable[[], None]) -> None:
        self.timers.append((self.now_s + delay_s, callback))

    def set_interval(self, _interval_s: float, callback: Callable[[], None]) -> None:
        self.intervals.append(callback)

    def pass_time(self, seconds: float) -> None:
        """Do what is due by then."""
        while self.later:
            self.later.pop(0)()
        self.now_s += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now_s]
        self.timers = [timer for timer in self.timers if timer not in due]
        for _, callback in due:
            callback()

    @property
    def changes(self) -> int:
        return sum(isinstance(message, StoreChanged) for message in self.told)


def listening(app: Any, live: FakeLive | None) -> Listener:
    made = Listener(app, live)
    made.start()
    return made


def test_what_is_stored_is_told_at_once_and_what_follows_after_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    app, live = FakeApp(monkeypatch), FakeLive()
    listening(app, live)
    (store,) = live.callbacks
    store()
    app.pass_time(0)
    assert app.changes == 1
    for _ in range(50):
        store()
        app.pass_time(0.001)
    assert app.changes == 1
    assert len(app.timers) == 1
    app.pass_time(listener._REST_S)
    assert app.changes == 2
    app.pass_time(10)
    assert app.changes == 2
    store()
    app.pass_time(0)
    assert app.changes == 3


def test_figures_are_passed_on_at_the_start_and_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    app, live = FakeApp(monkeypatch), FakeLive(stored=3)
    made = listening(app, live)
    live.figures = FakeLive(stored=4).figures
    for count in app.intervals:
        count()
    assert [message.counters.stored for message in app.told if isinstance(message, CountersRead)] == [3, 4]
    assert made.last_counters is not None
    assert made.last_counters.counters.stored == 4
    made.stop()
    assert not live.callbacks


def test_a_database_alone_is_looked_at_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FakeApp(monkeypatch)
    made = listening(app, None)
    made.count()
    (look,) = app.intervals
    look()
    assert [type(message) for message in app.told] == [StoreChanged]
    made.stop()
