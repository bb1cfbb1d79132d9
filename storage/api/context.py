"""What the routes are given: the store, the running capture if there is one, and a bell that rings when something changed."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from storage.api.settings import ApiSettings
from storage.changes import ChangeReader
from storage.sqlite import CommitCounter
from storage.store import Store
from storage.views import CaptureCounters


class CaptureControl(Protocol):
    """The running capture, as the API needs it. All calls return at once and are safe from any thread."""

    def counters(self) -> CaptureCounters:
        """Return what was captured, stored and lost since start."""

    def pause(self) -> None:
        """Stop capturing; traffic goes on."""

    def resume(self) -> None:
        """Capture again."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (from any thread) whenever stored exchanges changed; returns a function that ends it."""


class Bell:
    """Wakes the event streams: rung from any thread, heard in the event loop of the API."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._lock:
            for loop, event in self._waiting:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    async def wait(self, timeout_s: float) -> None:
        """Wait for the bell, but not longer than this."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(entry)
        try:
            async with asyncio.timeout(timeout_s):
                await entry[1].wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(entry)


@dataclass(slots=True)
class ApiContext:
    """What one running API has."""

    store: Store
    settings: ApiSettings
    control: CaptureControl | None
    """`None` when the API serves a database alone."""
    changes: ChangeReader
    bell: Bell = field(default_factory=Bell)
    streams: int = 0
    """Event streams that are open."""
    is_stopping: bool = False
    """Event streams end soon after this is set."""
    told: int = 0
    """Raised whenever a client was told of a change, or made one: what it asks next is answered no older than that."""
    _commits: CommitCounter | None = None
    """Opened by the first question; used and closed by the serving thread alone."""

    def version(self) -> int | None:
        """Return a number that every commit changes; `None` where or while that cannot be told."""
        if self._commits is None:
            try:
                self._commits = CommitCounter(self.store.database.read_engine)
            except SQLAlchemyError:
                return None
        return self._commits.value()

    def close(self) -> None:
        """Give back what was opened."""
        if self._commits is not None:
            self._commits.close()
            self._commits = None


async def _context_of(request: Request) -> ApiContext:
    context: ApiContext = request.app.state.context
    return context


async def _store_of(request: Request) -> Store:
    context: ApiContext = request.app.state.context
    return context.store


ContextOf = Annotated[ApiContext, Depends(_context_of)]
StoreOf = Annotated[Store, Depends(_store_of)]
