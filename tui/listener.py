"""Listens to the running side and passes on, at once but a few times a second at most, that something changed.

However much is stored, the thread that stores it only sets a flag. Must not read the store.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from textual.app import App

from tui.live import LiveSource
from tui.messages import CountersRead, StoreChanged
from tui.screens.dashboard import DashboardScreen

_REST_S: Final = 0.12
"""So long after something was passed on, what is stored next waits: each time the list is read and drawn. Less than the rest of
who tells from another process, or both would be waited for."""
_COUNT_S: Final = 0.5
_VIEW_S: Final = 1.0
"""How often a database without a proxy is read again: another process may record into it."""


class Listener:
    """Tells an app's screens what happens.

    Args:
        app: Whose screens.
        live: The running proxy; `None`: the database alone is looked at now and then.
    """

    def __init__(self, app: App[Any], live: LiveSource | None) -> None:
        self.last_counters: CountersRead | None = None
        """The newest figures; `None` without a proxy."""
        self._app = app
        self._live = live
        self._is_changed = False
        self._told_s = 0.0
        self._end: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        if self._live is None:
            self._app.set_interval(_VIEW_S, lambda: self._tell(StoreChanged()))
            return
        self._end = self._live.subscribe(self._mark)
        self._app.set_interval(_COUNT_S, self.count)
        self.count()

    def stop(self) -> None:
        """End it."""
        if self._end is not None:
            self._end()

    def count(self) -> None:
        """Pass on the newest figures."""
        if self._live is not None:
            self.last_counters = CountersRead(self._live.counters(), self._live.failure())
            self._tell(self.last_counters)

    def _mark(self) -> None:
        """Note that something was stored; called from other threads, and so often that it mostly does nothing."""
        if not self._is_changed:
            self._is_changed = True
            self._app.call_later(self._plan)

    def _plan(self) -> None:
        """Pass it on, now or after the rest."""
        rest_s = self._told_s + _REST_S - time.monotonic()
        if rest_s > 0:
            self._app.set_timer(rest_s, self._tell_change)
        else:
            self._tell_change()

    def _tell_change(self) -> None:
        self._told_s = time.monotonic()
        self._is_changed = False
        self._tell(StoreChanged())

    def _tell(self, message: StoreChanged | CountersRead) -> None:
        for screen in self._app.screen_stack:
            if isinstance(screen, DashboardScreen):
                screen.post_message(message)
