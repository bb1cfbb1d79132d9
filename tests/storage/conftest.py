"""An empty database, and a feed that delivers what a test puts into it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from proxy_core.exchange import CaptureEvent
from storage.database import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database in a file of its own."""
    opened = open_database(tmp_path / "private" / "assay.db")
    yield opened
    opened.close()


class ListFeed:
    """A feed that hands out what was put in, at once."""

    def __init__(self) -> None:
        self.events: list[CaptureEvent] = []
        self._news = Event()

    def put(self, *events: CaptureEvent) -> None:
        self.events += events
        self._news.set()

    @property
    def is_drained(self) -> bool:
        return not self.events

    def take(self, timeout_s: float) -> list[CaptureEvent]:
        self._news.wait(min(timeout_s, 0.01))
        self._news.clear()
        taken, self.events = self.events, []
        return taken

    def wake(self) -> None:
        self._news.set()


@pytest.fixture
def feed() -> ListFeed:
    """An empty feed."""
    return ListFeed()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait for something that another thread does; fail when it never comes."""

    def wait(is_so: Callable[[], object]) -> None:
        deadline = monotonic() + 120
        while not is_so():
            assert monotonic() < deadline, "it never came"
            sleep(0.005)

    return wait
