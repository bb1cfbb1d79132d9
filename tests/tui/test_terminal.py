"""Where the dashboard draws: on the terminal, wherever standard error goes."""

import io
import sys

import pytest

from tui.terminal import draw_where_it_is_seen


class _Stream(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("out", "err", "is_moved"), [(True, False, True), (True, True, False), (False, False, False), (False, True, False)]
)
def test_it_is_drawn_on_the_terminal(monkeypatch: pytest.MonkeyPatch, out: bool, err: bool, is_moved: bool) -> None:
    stdout, stderr = _Stream(is_terminal=out), _Stream(is_terminal=err)
    monkeypatch.setattr(sys, "__stdout__", stdout)
    monkeypatch.setattr(sys, "__stderr__", stderr)
    said_to = sys.stderr
    draw_where_it_is_seen()
    assert id(sys.__stderr__) == id(stdout if is_moved else stderr)
    assert sys.stderr is said_to


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_boxes_and_bars_are_written_whatever_the_locale(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    written = io.BytesIO()
    with _Terminal(written, encoding=encoding, errors="backslashreplace") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        draw_where_it_is_seen()
        stream.write("▆│")
        stream.flush()
        assert written.getvalue().decode() == "▆│"
