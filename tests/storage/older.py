"""A database as an older Assay left it, as far as its version says."""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database import open_database


def make_older(path: Path) -> None:
    """Make a database that the next opening brings up to date."""
    open_database(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM schema_version WHERE version > 1")
