"""A dashboard that is killed, and a terminal that goes away: before, after and while the dashboard dies."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from benchmarks.chaos import anatomy
from benchmarks.chaos.arena import Arena, all_of, expect, expect_right_bytes, expect_stored, wait_until
from benchmarks.chaos.load import Load
from tests.e2e.product import ASSAY, environment, towards

_ROUNDS: Final = 3
_LEFT_SCREEN: Final = b"\x1b[?1049l"
_CONTROL_C: Final = b"\x03"
_END_S: Final = 60.0


class _Shown:
    """An Assay with a dashboard in a terminal that is read all the time; as far as `Load` has to know it, a `Headless`."""

    def __init__(self, arena: Arena) -> None:
        self.output = bytearray()
        self.proxy_url = ""
        self._leader, follower = pty.openpty()
        self.settings_before = self.settings()
        self.process = subprocess.Popen(
            [ASSAY, "--port", "0", "--no-api", *towards(arena.standin)],
            env=environment(arena.home) | {"TERM": "xterm-256color", "COLUMNS": "140", "LINES": "40"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - its own terminal, as in a window
        )
        os.close(follower)
        self._is_gone = threading.Event()
        self._reading = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reading.start()
        self._arena = arena

    def wait_until_it_listens(self) -> None:
        """Wait until clients can connect."""
        expect(wait_until(self._has_said_where, 40), "the dashboard did not start")
        self.certificate = next(self._arena.home.rglob("ca-cert.pem"))

    def settings(self) -> list[Any]:
        """Return how the terminal is set."""
        return termios.tcgetattr(self._leader)

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self._leader, keys)

    def hang_up(self) -> None:
        """Take the terminal away."""
        if not self._is_gone.is_set():
            self._is_gone.set()
            self._reading.join()
            os.close(self._leader)

    def end(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        while not self._is_gone.is_set():
            if select.select([self._leader], [], [], 0.05)[0]:
                try:
                    self.output += os.read(self._leader, 1 << 16)
                except OSError:
                    return

    def _has_said_where(self) -> bool:
        for path in self._arena.home.rglob("*.json"):
            with suppress(OSError, ValueError):
                told = json.loads(path.read_text())
                if isinstance(told, dict) and told.get("pid") == self.process.pid:
                    self.proxy_url = told["proxy_url"]
        return bool(self.proxy_url)


@contextmanager
def _shown(arena: Arena) -> Iterator[_Shown]:
    running = _Shown(arena)
    try:
        running.wait_until_it_listens()
        yield running
    finally:
        running.end()


def _expect_end(arena: Arena, running: _Shown, parts: list[int]) -> None:
    """See that everything ends by itself."""
    begun = time.monotonic()
    wait_until(lambda: running.process.poll() is not None, _END_S)
    arena.note(f"ended with {running.process.returncode} after {time.monotonic() - begun:.0f} s")
    expect(running.process.poll() is not None, "it did not end")
    expect(wait_until(lambda: not any(anatomy.send(one, 0) for one in parts), 30), "processes were left behind")


def _parts(running: _Shown) -> list[int]:
    return [one for part in anatomy.PARTS if (one := anatomy.find(running.process.pid, part)) is not None]


def dead_screen(arena: Arena) -> None:
    """The terminal of the dashboard goes away: what was answered before is stored, and nothing is left running."""
    with _shown(arena) as running:
        load = Load(running, arena.witness, 0)  # type: ignore[arg-type]
        with load.running():
            expect(load.wait_for_more(20), "nothing was answered")
            parts = _parts(running)
            running.hang_up()
            gone_at = time.monotonic()
            _expect_end(arena, running, parts)
            load.end()
    expect_right_bytes(arena, load, clients_may_fail=True)
    expect_stored(arena, {number: gone_at - at for number, at in load.answered.items() if at < gone_at})


def killed_screen(arena: Arena) -> None:
    """The dashboard is killed: traffic and capture go on, the terminal is as it was, and Ctrl-C ends it with all stored."""
    with _shown(arena) as running:
        load = Load(running, arena.witness, 0)  # type: ignore[arg-type]
        with load.running():
            expect(load.wait_for_more(20), "nothing was answered")
            screen = anatomy.wait_for(running.process.pid, "screen")
            expect(wait_until(lambda: running.settings() != running.settings_before), "the dashboard was never shown")
            parts = _parts(running)
            shown = len(running.output)
            anatomy.send(screen, signal.SIGKILL)
            expect(wait_until(lambda: b"goes on without it" in running.output[shown:]), "nobody says what happened")
            expect(load.wait_for_more(40), "traffic stopped with the dashboard")
            expect(running.process.poll() is None, "Assay ended with its dashboard")
            expect(running.settings() == running.settings_before, "the terminal is left as the dashboard had it")
            expect(_LEFT_SCREEN in running.output[shown:], "the terminal is left on the dashboard's screen")
        running.press(_CONTROL_C)
        _expect_end(arena, running, parts)
    arena.note(f"{len(load.answered)} answered")
    expect_right_bytes(arena, load)
    expect_stored(arena, all_of(load))


def screen_and_terminal(arena: Arena) -> None:
    """The dashboard dies, and at any moment around that its terminal goes away: it ends in order, with all stored."""
    promised: dict[int, float] = {}
    first = 0
    for _ in range(min(arena.rounds, _ROUNDS)):
        with _shown(arena) as running:
            load = Load(running, arena.witness, first)  # type: ignore[arg-type]
            with load.running():
                expect(load.wait_for_more(20), "nothing was answered")
                parts = _parts(running)
                anatomy.send(anatomy.wait_for(running.process.pid, "screen"), signal.SIGKILL)
                time.sleep(arena.chance.uniform(0.0, 0.3))
                running.hang_up()
                gone_at = time.monotonic()
                _expect_end(arena, running, parts)
                load.end()
            expect(running.process.returncode in {0, 1}, f"it did not end in order: {running.process.returncode}")
        first = load.next_number
        promised |= {number: gone_at - at for number, at in load.answered.items() if at < gone_at}
        expect_right_bytes(arena, load, clients_may_fail=True)
    expect_stored(arena, promised)


TRIALS = {
    "dead screen": dead_screen,
    "killed screen": killed_screen,
    "screen and terminal": screen_and_terminal,
}
