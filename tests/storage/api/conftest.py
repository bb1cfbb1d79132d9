"""A served sample database."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import create_engine, text

from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from storage.database import Database, open_database
from storage.store import Store
from storage.views import CaptureCounters
from tests import sample
from tests.sample import Sample

TOKEN = "token-of-the-tests-0123456789"


@dataclass
class FakeCapture:
    """A capture that only remembers what it was told."""

    is_paused: bool = False
    callbacks: list = field(default_factory=list)

    def counters(self):
        return CaptureCounters(captured=5, stored=4, dropped=1, is_paused=self.is_paused, last_error="disk full")

    def pause(self):
        self.is_paused = True

    def resume(self):
        self.is_paused = False

    def subscribe(self, callback):
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)


@pytest.fixture
def database(tmp_path) -> Iterator[Database]:
    """A new database: a file, or that of the server in `ASSAY_TEST_DATABASE`, which is emptied (docs/testing.md)."""
    url = os.environ.get("ASSAY_TEST_DATABASE")
    if url:
        empty(url)
    opened = open_database(url or tmp_path / "assay.db")
    yield opened
    opened.close()


def empty(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture
def known(database) -> Sample:
    return sample.fill(database)


@pytest.fixture
def store(database, known) -> Store:
    return Store(database)


@pytest.fixture
def capture() -> FakeCapture:
    return FakeCapture()


@pytest.fixture
def api(store, capture) -> Iterator[ApiThread]:
    thread = ApiThread(store, ApiSettings(token=TOKEN, port=0), capture)
    thread.start()
    yield thread
    thread.stop()
    assert thread.failure is None


@pytest.fixture
def client(api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60) as opened:
        yield opened
