"""Whether a database was made by an older Assay and is being brought up to date: for those who wait for it.

Looks only, beside whoever updates: it must not change, lock or hold up anything.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PATIENCE_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A database that is not up to date yet."""

    database_bytes: int
    """Size of its file."""
    written_bytes: int
    """What was written anew so far; stays 0 until there is more of it than memory is given."""


def pending_update(path: Path) -> Update | None:
    """Look whether a database still has to be brought up to date; `None`: it has not, or cannot be told."""
    from storage.migrations import MIGRATIONS

    version = _read_version(path)
    if version is None or version >= MIGRATIONS[-1].version:
        return None
    return Update(database_bytes=_size(path), written_bytes=_size(path.with_name(f"{path.name}-wal")))


def _read_version(path: Path) -> int | None:
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as connection:
            found = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0]
    except sqlite3.Error:
        return None
    return int(found) if found is not None else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
