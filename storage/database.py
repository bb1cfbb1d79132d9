"""Opening a database: one `Database` per URL, ready to use or a clear error. Threads share it.

Reading never waits for writing (each has its own connections); writers of one process queue at a lock, so that only other
processes are waited for inside the database.
"""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from storage import sqlite
from storage.errors import DatabaseUnusableError

_READERS = 16
_READERS_KEPT = 8
_PAGES_GIVEN_BACK = 1_000
"""At once, so that ending never takes long; retention gives back the rest."""


class Database:
    """An open database."""

    def __init__(self, url: URL, write_engine: Engine, read_engine: Engine) -> None:
        self.url = url
        self.write_engine = write_engine
        self.read_engine = read_engine
        self._write_lock = threading.Lock()
        self._keeps = write_engine is not read_engine
        """Connections are kept: to take one out of the pool and to give it back costs more than a small transaction.
        Those to a server are not: it may end what nobody uses."""
        self._writer: Connection | None = None
        self._readers: list[Connection] = []
        """Kept ones that nobody uses."""
        self._is_closed = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend a connection that sees one consistent state and cannot write."""
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self.read_engine.connect()
        try:
            yield connection
            connection.rollback()
        except BaseException:
            self._end(connection)
            raise
        if self._keeps and len(self._readers) < _READERS_KEPT:
            self._readers.append(connection)
            if not self._keeps:  # closed between the two lines above
                self.close_readers()
        else:
            self._end(connection)

    def _end(self, connection: Connection) -> None:
        """Give a reading connection back to its pool; one of a pool that was given up ends now, not some time with it."""
        if self._is_closed and not connection.invalidated:
            connection.detach()
        connection.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Lend the writing connection for one transaction: committed at the end, rolled back by an exception."""
        with self._write_lock:
            if self._writer is None:
                self._writer = self.write_engine.connect()
            try:
                with self._writer.begin():
                    yield self._writer
            except BaseException:
                self._let_go()
                raise
            if not self._keeps:
                self._let_go()

    def _let_go(self) -> None:
        """Give the writing connection back to its pool, which rolls back what is left on it; under the lock."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The file; `None` for a database server."""
        return Path(self.url.database) if sqlite.is_sqlite(self.url) and self.url.database else None

    def checkpoint(self) -> bool:
        """Give free pages back and move the log into the file; False when someone was in the way."""
        self._give_back()
        with self._write_lock:
            self._let_go()
            return sqlite.checkpoint(self.write_engine)

    def _give_back(self) -> None:
        with contextlib.suppress(DBAPIError), self.write() as connection:
            sqlite.give_back(connection, _PAGES_GIVEN_BACK)

    def close_readers(self) -> None:
        """Give the reading connections that nobody uses back to their pool."""
        with contextlib.suppress(IndexError):  # asking first would not help: another thread may take the last one meanwhile
            while True:
                self._end(self._readers.pop())

    def close(self) -> None:
        """Give back free pages and all connections; the last one of a process folds the log into the file."""
        self._keeps = False  # who still reads gives back what it has
        self.close_readers()
        self._is_closed = True
        self.read_engine.dispose()
        self._give_back()
        with self._write_lock:
            self._let_go()
        if self.write_engine is not self.read_engine:
            self.write_engine.dispose()


def default_database_url() -> str:
    """Name the database in the user's data directory."""
    import platformdirs

    return f"sqlite:///{Path(platformdirs.user_data_dir('assay', appauthor=False)) / 'assay.db'}"


def open_database(url: str | Path) -> Database:
    """Open a database, make it when it is new, and bring its schema up to date.

    Args:
        url: An SQLAlchemy URL, or the path of an SQLite file.

    Raises:
        DatabaseUnusableError: It cannot be used; the message says why.
        DatabaseTooNewError: A newer Assay has changed it.
    """
    from storage.migrations import migrate

    parsed = _parse(url)
    try:
        database = _connect(parsed)
    except DBAPIError as error:
        raise _unusable(parsed, error) from error
    try:
        with database.write() as connection:
            migrate(connection)
    except DBAPIError as error:
        database.close()
        raise _unusable(parsed, error) from error
    except BaseException:
        database.close()
        raise
    return database


def _parse(url: str | Path) -> URL:
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(Path(url).expanduser().absolute()))
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUnusableError(
            f"not a database URL: {url.partition('://')[0]}://... (expected a file, sqlite:////path or another SQLAlchemy URL)"
        ) from error


def _connect(url: URL) -> Database:
    try:
        if not sqlite.is_sqlite(url):
            engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
            return Database(url, engine, engine)
        sqlite.create_private_file(url)
        told = {"check_same_thread": False, "timeout": sqlite.BUSY_TIMEOUT_MS / 1000}
        # Errors are shown and logged: the values of their statements are what people wrote.
        options: dict[str, Any] = {"connect_args": told, "hide_parameters": True}
        writer = create_engine(url, pool_size=1, max_overflow=0, pool_reset_on_return="rollback", **options)
        reader = create_engine(url, pool_size=_READERS, max_overflow=_READERS, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        backend = url.get_backend_name()
        raise DatabaseUnusableError(
            f"no driver for {backend} databases is installed ({error}); Assay brings SQLite's alone: name a file, "
            "or install the driver into Assay's environment (docs/configuration.md says what is tested)"
        ) from error
    sqlite.prepare_engine(writer, is_reader=False)
    sqlite.prepare_engine(reader, is_reader=True)
    return Database(url, writer, reader)


def _unusable(url: URL, error: DBAPIError) -> DatabaseUnusableError:
    name = url.database if sqlite.is_sqlite(url) else url.render_as_string(hide_password=True)
    reason = str(error.orig or error).strip().splitlines()[0]
    remedy = ""
    if "not a database" in reason or "malformed" in reason:
        remedy = "; move the file away and start again, or restore it from a backup"
    elif "readonly" in reason:
        remedy = "; the file or its directory is not writable"
    elif "locked" in reason:
        remedy = "; another program holds it"
    return DatabaseUnusableError(f"cannot use the database {name}: {reason}{remedy}")
