"""The dashboard in the process that captures."""

from typing import Any, cast

import pytest

from tui.screen_here import ScreenHere


class _App:
    """Closes at once."""

    return_code: int | None = None
    ended: bool = False

    def __init__(self, store: Any, runtime: Any) -> None:
        self.seen = (store, runtime)

    def run(self) -> None:
        """Do nothing."""

    def exit(self) -> None:
        type(self).ended = True


class _Runtime:
    store = "store"


def test_it_ends_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.app.AssayApp", _App)
    with ScreenHere(cast("Any", _Runtime())) as screen:
        screen.begin()
        screen.tell_place()
        screen.end()
        assert not _App.ended
        assert screen.wait() == 0
        screen.end()
    assert _App.ended


def test_a_failure_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(_App):
        def run(self) -> None:
            raise ValueError("no screen")

    monkeypatch.setattr("tui.app.AssayApp", Broken)
    assert ScreenHere(cast("Any", _Runtime())).wait() == 1
    assert "ValueError: no screen" in capsys.readouterr().err
