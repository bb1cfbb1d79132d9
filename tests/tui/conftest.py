"""What the dashboard's tests share: one database of scripted sessions, and a fixed zone."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from screenshots.fixture import build
from storage.database import open_database
from storage.store import Store


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are written in the same zone everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _outlives_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the tests does not end because its own standard input was closed."""
    monkeypatch.setattr("tui.terminal._hang_up_when_gone", lambda _descriptor: None)


@pytest.fixture(autouse=True)
def _is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not look again and again whether others store something: a slow machine would never see nothing put off."""
    monkeypatch.setattr("tui.listener._VIEW_S", 3600.0)


@pytest.fixture(scope="session")
def recorded_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of two sessions, made once; nobody may write into it."""
    path = tmp_path_factory.mktemp("dashboard") / "recorded.db"
    build(path, sessions=((1, 21.0), (6, 0.12))).database.close()
    return path


@pytest.fixture
def store(recorded_path: Path, tmp_path: Path) -> Iterator[Store]:
    """A store over a copy of that database."""
    copy = tmp_path / "copy.db"
    shutil.copy(recorded_path, copy)
    database = open_database(copy)
    yield Store(database)
    database.close()


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    """A store without a single request."""
    database = open_database(tmp_path / "empty.db")
    yield Store(database)
    database.close()
