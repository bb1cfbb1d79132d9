"""The running Assay as the dashboard sees it from its own process: a `LiveSource` that knows what was told last.

Nothing here waits: what is asked is answered from what is known, and what is ordered is sent.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from storage.views import CaptureCounters
from tui.screen_link import PAUSE, RESUME, Figures, Place, Told, lines

_LOOK_S: Final = 0.5


class RemoteLive:
    """The other end's standing.

    Args:
        link: To the process that captures.
        on_end: Called, in a thread, when the other process has ended, or closed the link.
    """

    def __init__(self, link: socket.socket, on_end: Callable[[], None]) -> None:
        self._link = link
        self._on_end = on_end
        self._place: Place | None = None
        self._figures = Figures(counters=CaptureCounters(), failure=None)
        self._callbacks: list[Callable[[], None]] = []
        self._is_placed = threading.Event()
        self.opening: str | None = None
        """URL of the database that is being opened; `None` until it is told."""

    def listen(self) -> None:
        """Take what is told until the other end closes; for a thread of its own."""
        for line in lines(self._link):
            self._take(Told.from_line(line))
        self._is_placed.set()
        self._on_end()

    def wait_for_place(self, meanwhile: Callable[[], None] = lambda: None) -> Place | None:
        """Wait until clients can connect, looking now and then at what can be said `meanwhile`; `None` when it ended before."""
        while not self._is_placed.wait(_LOOK_S):
            meanwhile()
        return self._place

    def _take(self, told: Told) -> None:
        self.opening = told.opening or self.opening
        if told.figures is not None:
            self._figures = told.figures
        if told.place is not None:
            self._place = told.place
            self._is_placed.set()
        if told.is_changed:
            for callback in self._callbacks[:]:
                callback()

    # What the dashboard asks (`tui.live.LiveSource`).

    @property
    def proxy_url(self) -> str | None:
        """Where clients are to point `HTTPS_PROXY`; `None` before it listens."""
        return self._place.proxy_url if self._place else None

    @property
    def ca_bundle(self) -> Path | None:
        """The certificate file that clients must trust."""
        return Path(self._place.ca_bundle) if self._place and self._place.ca_bundle else None

    @property
    def api_url(self) -> str | None:
        """Where the JSON API answers; `None` when it is off."""
        return self._place.api_url if self._place else None

    def counters(self) -> CaptureCounters:
        """Return what was captured, stored and lost since start."""
        return self._figures.counters

    def failure(self) -> str | None:
        """Return why the proxy (or the recording) stopped, in one line; `None` while all is well."""
        return self._figures.failure

    def response_bytes(self) -> Mapping[str, int]:
        """Return the response bytes so far of each exchange in flight, by exchange id."""
        return self._figures.response_bytes

    def pause(self) -> None:
        """Stop capturing; traffic goes on."""
        self._order(PAUSE, is_paused=True)

    def resume(self) -> None:
        """Capture again."""
        self._order(RESUME, is_paused=False)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever stored exchanges were added or changed; returns what ends it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def _order(self, what: str, *, is_paused: bool) -> None:
        """Send an order, and show it as obeyed: it will be before the next figures come."""
        with contextlib.suppress(OSError):
            self._link.sendall(f"{what}\n".encode())
        self._figures = replace(self._figures, counters=replace(self._figures.counters, is_paused=is_paused))
