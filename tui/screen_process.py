"""The dashboard as the process that captures has it: started first, told what happens, and never waited for.

It draws in a process of its own (`tui.screen_worker`), on the same terminal. When it dies, the terminal is put in order, and
capturing goes on.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from proxy_core.child_process import own_environment, own_module
from tui.ending import Ending
from tui.invocation import named_command
from tui.live import LiveSource
from tui.screen_link import PAUSE, RESUME, Figures, Place, Told, lines

_REST_S: Final = 0.15
"""What is stored is told at once, but for so long after news was told; figures as often, if they are others."""
_END_S: Final = 5.0
_LEAVE_SCREEN: Final = (
    "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?7h\x1b[0m\r\n"
)
"""What a dashboard that was killed could not write: back from the other screen, cursor, mouse, keys and wrapping as before."""


class ScreenProcess:
    """A dashboard beside a running Assay; ends it when left.

    Args:
        live: The running Assay; may still be starting.
        data_dir: Its data directory.
        database: URL of its database, which other processes must be able to read.
        command: What draws; is given the number of a socket as its last argument.
    """

    def __init__(self, live: LiveSource, data_dir: Path, database: str, command: Sequence[str] | None = None) -> None:
        self._live = live
        self._data_dir = data_dir
        self._database = database
        self._command = command or own_module("tui.screen_worker")
        self._news = threading.Event()
        """Something was stored that was not told yet."""
        self._asked = Ending()
        """To close."""
        self._is_over = threading.Event()
        self._told: Figures | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._terminal = _terminal_settings()
        self._link, theirs = socket.socketpair()
        with theirs:
            self._process = self._launch(theirs.fileno())
        self._threads = [
            threading.Thread(target=self._obey, name="assay-screen-orders", daemon=True),
            threading.Thread(target=self._tell_news, name="assay-screen-news", daemon=True),
        ]
        self._threads[0].start()
        threading.Thread(target=self._insist, name="assay-screen-end", daemon=True).start()
        self._tell(Told(opening=database))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def begin(self) -> None:
        """Tell it where everything is, and from now on what happens; once clients can connect."""
        self._unsubscribe = self._live.subscribe(self._mark)
        self.tell_place()
        self._threads[1].start()

    def tell_place(self) -> None:
        """Tell it (again) where everything is."""
        bundle = self._live.ca_bundle
        place = Place(
            data_dir=str(self._data_dir),
            database=self._database,
            proxy_url=self._live.proxy_url,
            ca_bundle=str(bundle) if bundle else None,
            api_url=self._live.api_url,
        )
        self._tell(Told(place=place, figures=self._figures()))

    def wait(self) -> int:
        """Wait until it has ended; returns 0, or 1 when it failed or died."""
        code = self._process.wait()
        if code:
            self._restore_terminal()
        return 0 if code == 0 or self._asked.is_set() else 1

    def end(self) -> None:
        """Ask it to close, and see to it: one whose terminal went away may hang. For a signal's handler as well."""
        self._asked.set()
        self._process.terminate()

    def close(self) -> None:
        """End it, and whatever it was told from."""
        self._is_over.set()
        self._news.set()
        if self._unsubscribe is not None:
            self._unsubscribe()
        self.end()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._restore_terminal()
        self._link.close()

    def _insist(self) -> None:
        """Kill it when it was asked to close and does not."""
        self._asked.wait()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _launch(self, descriptor: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - this program again
            [*self._command, str(descriptor)],
            pass_fds=(descriptor,),
            env=own_environment() | named_command(),
        )

    def _mark(self) -> None:
        """Note that something was stored; called so often that it may do nothing else."""
        if not self._news.is_set():
            self._news.set()

    def _tell_news(self) -> None:
        while not self._is_over.is_set():
            is_changed = self._news.wait(_REST_S)
            self._news.clear()
            figures = self._figures()
            if figures != self._told or is_changed:
                self._tell(Told(figures=figures if figures != self._told else None, is_changed=is_changed))
                self._told = figures
            if is_changed:
                self._is_over.wait(_REST_S)

    def _figures(self) -> Figures:
        return Figures(
            counters=self._live.counters(),
            failure=self._live.failure(),
            response_bytes=dict(self._live.response_bytes()),
        )

    def _tell(self, told: Told) -> None:
        with contextlib.suppress(OSError):  # It has ended; `wait` says so.
            self._link.sendall(told.as_line())

    def _obey(self) -> None:
        orders = {PAUSE: self._live.pause, RESUME: self._live.resume}
        for line in lines(self._link):
            order = orders.get(line.decode(errors="replace").strip())
            if order is not None:
                order()

    def _restore_terminal(self) -> None:
        if self._terminal is None:
            return
        import termios

        with contextlib.suppress(termios.error, OSError, ValueError):
            if termios.tcgetattr(0) == self._terminal:
                return  # It has put it in order itself.
            termios.tcsetattr(0, termios.TCSANOW, self._terminal)
            sys.stderr.write(_LEAVE_SCREEN)
            sys.stderr.flush()


def can_share(database: str) -> bool:
    """Say whether another process can be given a socket, and can read this database."""
    return os.name == "posix" and database not in {"sqlite://", "sqlite:///:memory:"}


def _terminal_settings() -> Any:
    """Return how the terminal is set, as `termios` has it; `None`: there is none."""
    try:
        import termios
    except ImportError:
        return None
    try:
        return termios.tcgetattr(0)
    except (OSError, termios.error):
        return None
