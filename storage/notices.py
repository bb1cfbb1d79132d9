"""What storage tells others while it works: which exchange changed, and how. Small, frozen, never a row.

Listeners are called in the thread that committed; they must return at once and may not touch the database.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.views import ExchangeSummary


class Change(StrEnum):
    """What happened to an exchange."""

    STARTED = "started"
    """Stored for the first time, still open."""
    GREW = "grew"
    """Its response's head arrived, or more bytes of it."""
    FINISHED = "finished"
    ANALYSED = "analysed"
    DELETED = "deleted"
    """By retention; the id is that of the newest exchange deleted."""


@dataclass(frozen=True, slots=True)
class ExchangeChanged:
    """A committed change."""

    id: int
    """`ExchangeSummary.id`."""
    what: Change
    summary: "ExchangeSummary | None" = None
    """How an analysed exchange reads now; `None` unless whoever records was asked to tell."""


type Listener = Callable[[ExchangeChanged], None]


class Notices:
    """Hands notices to whoever listens; safe from any thread."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self.failures = 0
        """How often a listener raised; it does not hold up the others or the caller."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each notice; returns a function that ends it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return end

    def post(self, notice: ExchangeChanged) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:  # noqa: BLE001 - a listener is foreign code; the committing thread must go on
                self.failures += 1
