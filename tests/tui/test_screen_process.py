"""The capturing side of the screen's process, with small programs in the place of the dashboard."""

import os
import pty
import signal
import sys
import termios
import threading
from pathlib import Path

import pytest

from tests.tui.dashboard_rig import FakeLive
from tui.ending import ending_signals
from tui.screen_link import Told
from tui.screen_process import ScreenProcess, can_share

_PROGRAM = """
import json, signal, socket, sys
link = socket.socket(fileno=int(sys.argv[-1]))
told = link.makefile("rb")
"""
_WAITS = "for line in told: pass\n"


def screen_of(live: FakeLive, program: str, directory: Path) -> ScreenProcess:
    command = [sys.executable, "-c", _PROGRAM + program]
    return ScreenProcess(live, directory, f"sqlite:///{directory / 'a.db'}", command)


def test_what_is_opened_comes_first_then_the_place_and_then_what_changes(tmp_path: Path) -> None:
    live, seen = FakeLive(), tmp_path / "seen"
    program = f"""
lines = [told.readline() for _ in range(2)]
lines.append(next(line for line in told if json.loads(line)["is_changed"]))
open({str(seen)!r}, "wb").writelines(lines)
"""
    with screen_of(live, program, tmp_path) as screen:
        screen.begin()
        live.callbacks[0]()
        assert screen.wait() == 0
    opening, first, second = map(Told.from_line, seen.read_bytes().splitlines(keepends=True))
    assert opening.opening == f"sqlite:///{tmp_path / 'a.db'}"
    assert first.place is not None
    assert (first.place.proxy_url, first.place.data_dir) == (live.proxy_url, str(tmp_path))
    assert first.figures is not None
    assert first.figures.counters == live.figures
    assert second.is_changed
    assert not live.callbacks


def test_figures_are_told_only_when_they_are_others(tmp_path: Path) -> None:
    live, seen = FakeLive(), tmp_path / "seen"
    program = f"""
told.readline()
told.readline()
told.readline()
link.sendall(b"pause\\n")
open({str(seen)!r}, "wb").write(told.readline())
"""
    with screen_of(live, program, tmp_path) as screen:
        screen.begin()
        assert screen.wait() == 0
    told = Told.from_line(seen.read_bytes())
    assert told.figures is not None
    assert told.figures.counters.is_paused


def test_orders_are_obeyed(tmp_path: Path) -> None:
    live, paused = FakeLive(), threading.Event()
    live.pause = paused.set  # type: ignore[method-assign]
    with screen_of(live, "link.sendall(b'dance\\npause\\n')\n" + _WAITS, tmp_path) as screen:
        assert paused.wait(60)
        screen.end()
        assert screen.wait() == 0


@pytest.mark.parametrize(("program", "code"), [("sys.exit(0)", 0), ("sys.exit(3)", 1), ("signal.raise_signal(9)", 1)])
def test_its_end_has_a_code(tmp_path: Path, program: str, code: int) -> None:
    with screen_of(FakeLive(), program, tmp_path) as screen:
        assert screen.wait() == code
        screen.begin()


def test_one_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screen_process._END_S", 0.2)
    ready = tmp_path / "ready"
    program = f"signal.signal(15, signal.SIG_IGN)\nopen({str(ready)!r}, 'w').close()\nwhile True: signal.pause()"
    with screen_of(FakeLive(), program, tmp_path) as screen:
        while not ready.exists():
            os.sched_yield()
        screen.end()
        assert screen.wait() == 0


def test_a_killed_screen_leaves_the_terminal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leader, follower = pty.openpty()
    own = os.dup(0)
    os.dup2(follower, 0)
    try:
        before = termios.tcgetattr(0)
        program = """
import termios, os
mode = termios.tcgetattr(0); mode[3] &= ~termios.ECHO; termios.tcsetattr(0, termios.TCSANOW, mode)
os.kill(os.getpid(), 9)
"""
        with screen_of(FakeLive(), program, tmp_path) as screen:
            assert screen.wait() == 1
        assert termios.tcgetattr(0)[3] == before[3]
    finally:
        os.dup2(own, 0)
        for descriptor in (leader, follower, own):
            os.close(descriptor)
    assert "\x1b[?1049l" in capsys.readouterr().err


def test_a_screen_that_fails_and_puts_the_terminal_in_order_is_not_helped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [object()]
    monkeypatch.setattr(termios, "tcgetattr", lambda _descriptor: settings)
    with screen_of(FakeLive(), "sys.exit(1)", tmp_path) as screen:
        assert screen.wait() == 1
    assert capsys.readouterr().err == ""


def test_it_hears_of_the_other_process_end(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    program = f"signal.signal(15, signal.SIG_IGN)\n{_WAITS}open({str(gone)!r}, 'w').close()"
    with screen_of(FakeLive(), program, tmp_path) as screen:
        screen._link.shutdown(2)
        assert screen.wait() == 0
    assert gone.exists()


@pytest.mark.parametrize(
    ("database", "expected"), [("sqlite:////d/a.db", True), ("postgresql://x/y", True), ("sqlite://", False)]
)
def test_memory_is_not_shared(database: str, *, expected: bool) -> None:
    assert can_share(database) is (expected and os.name == "posix")


def test_a_signal_ends_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = f"open({str(started)!r}, 'w').close()\n{_WAITS}"

    def send() -> None:
        waiting = threading.Event()
        while not started.exists() or signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            waiting.wait(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=send)
    with screen_of(FakeLive(), program, tmp_path) as screen, ending_signals(screen.end) as ending:
        thread.start()
        assert screen.wait() == 0
        assert ending.is_set()
    thread.join()
