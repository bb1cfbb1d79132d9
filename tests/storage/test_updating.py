"""Whether an older database is being brought up to date is seen from outside, and only then."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import open_database
from storage.updating import pending_update
from tests.storage.older import make_older


def test_an_older_database_is_pending_until_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "a b#1.db"
    make_older(path)
    update = pending_update(path)
    assert update is not None
    assert (update.database_bytes, update.written_bytes) == (path.stat().st_size, 0)
    open_database(path).close()
    assert pending_update(path) is None


def test_while_it_is_updated_it_is_seen_as_it_was_with_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "assay.db"
    make_older(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as updating:
        updating.execute("PRAGMA cache_size = 1")
        updating.execute("BEGIN IMMEDIATE")
        updating.execute("INSERT INTO schema_version VALUES (2, 'grounds', 1)")
        updating.execute("CREATE TABLE moved (x)")
        updating.executemany("INSERT INTO moved VALUES (?)", [("x" * 2_000,)] * 500)
        update = pending_update(path)
        assert update is not None
        assert update.written_bytes > 0


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_of_what_is_no_database_of_ours_nothing_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "assay.db"
    if content is not None:
        path.write_bytes(content)
    assert pending_update(path) is None


def test_a_database_without_any_version_is_not_ours_to_speak_of(tmp_path: Path) -> None:
    path = tmp_path / "assay.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE schema_version (version INTEGER)")
    assert pending_update(path) is None
