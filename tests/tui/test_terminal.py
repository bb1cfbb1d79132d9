"""Where the dashboard draws: on the terminal, wherever standard error goes; and that it ends with its terminal."""

import io
import os
import pty
import signal
import subprocess
import sys

import pytest

from tui.terminal import _hang_up_when_gone, draw_where_it_is_seen


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


_SHOWN = """
import os, signal, sys, threading
from tui.terminal import end_with_terminal
{before}
end_with_terminal()
os.write(1, b"!")
os.read(0, 1)
os.write(1, b"?")
threading.Event().wait()
"""
"""Like a dashboard: it takes a key, and goes on whatever happens at the terminal."""


def _press_and_go(keyboard: int, far_end: int, before: str) -> int:
    """Press a key at what is shown to a process that no terminal controls, take the terminal away; returns the exit code."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SHOWN.format(before=before)],
        stdin=far_end,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    os.close(far_end)
    with process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"!"
        os.write(keyboard, b"k\n")
        assert process.stdout.read(1) == b"?", "a key was taken for the end"
        os.close(keyboard)
        return process.wait(60)


@pytest.mark.parametrize(
    ("before", "number"),
    [("", signal.SIGHUP), ("signal.signal(signal.SIGHUP, signal.SIG_IGN)", signal.SIGTERM)],
    ids=["as usual", "under nohup"],
)
def test_it_hangs_up_when_a_terminal_is_gone_that_does_not_control_it(before: str, number: int) -> None:
    assert _press_and_go(*pty.openpty(), before) == -number


def test_it_hangs_up_when_whoever_sends_it_keys_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    far_end, keyboard = os.pipe()
    os.close(keyboard)
    _hang_up_when_gone(far_end)
    os.close(far_end)
    _hang_up_when_gone(far_end)
    assert sent == [(os.getpid(), signal.SIGHUP)], "what never was there is not gone"
