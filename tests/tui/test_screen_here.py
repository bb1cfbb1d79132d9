"""The dashboard in the process that captures."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from tui.screen_here import ScreenHere


class _App:
    """Is painted, then runs until it is told to close."""

    return_code: int | None = 3

    def __init__(self, _store: Any, _runtime: Any, when_painted: Callable[[], None]) -> None:
        self._when_painted = when_painted

    def run(self) -> None:
        self._when_painted()

    def exit(self) -> None:
        self.return_code = 0


class _Runtime:
    store = "store"


def test_it_ends_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(_App):
        def run(self) -> None:
            super().run()
            screen.end()

    monkeypatch.setattr("tui.app.AssayApp", Interrupted)
    with ScreenHere(cast("Any", _Runtime())) as screen:
        screen.begin()
        screen.tell_place()
        assert screen.wait() == 0


def test_an_end_that_comes_before_it_is_painted_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.app.AssayApp", _App)
    screen = ScreenHere(cast("Any", _Runtime()))
    screen.end()
    assert screen.wait() == 0


def test_a_failure_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(_App):
        def run(self) -> None:
            raise ValueError("no screen")

    monkeypatch.setattr("tui.app.AssayApp", Broken)
    assert ScreenHere(cast("Any", _Runtime())).wait() == 1
    assert "ValueError: no screen" in capsys.readouterr().err
