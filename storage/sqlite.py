"""Everything that only SQLite has: pragmas, the write-ahead log, file modes, checkpoints; full-text search is in `full_text`.

No third module may hold SQL that only SQLite knows. Each function here does nothing, or the plain thing, elsewhere.
"""

import errno
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    Select,
    String,
    bindparam,
    event,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.errors import DatabaseUnusableError

BUSY_TIMEOUT_MS = 2000
"""How long a statement waits for another process; the writer retries longer than that."""
APPLICATION_ID = 0x41535359
"""`ASSY` in the file's header: tells our files from others'."""
TEXT_COLUMNS = ("title", "user_text", "assistant_text")

_READ_CACHE_KB = 8_000
_WRITE_CACHE_KB = 16_000
_MAP_BYTES = 256 * 1024 * 1024
_PAGE_BYTES = 2048
"""Rows of half a kilobyte and blobs of one or two are the rule here: larger pages would be a quarter empty."""
_CHECKPOINT_PAGES = 2000
_LOG_LIMIT_BYTES = 16 * 1024 * 1024


def is_sqlite(url: URL) -> bool:
    """Tell whether the URL names an SQLite database."""
    return url.get_backend_name() == "sqlite"


def create_private_file(url: URL) -> None:
    """Make the database's file (0600) and its directory (0700) before SQLite would make them with wider modes.

    An existing directory keeps its mode: it may be shared on purpose. An existing file is closed to others.

    Raises:
        DatabaseUnusableError: No file, in memory, or no permission.
    """
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise DatabaseUnusableError(
            "the database must be a file (it is shared by several threads): sqlite:////path/to/assay.db"
        )
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            _close_to_others(path)
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnusableError(f"cannot open the database {path}: {error.strerror or error}") from error


def _close_to_others(path: Path) -> None:
    """Take away what others may do with it, without opening it.

    Closing any descriptor of a file drops the locks that this process holds on it: those of the same database opened before,
    which another process could then take apart beneath it ("disk I/O error").
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def prepare_engine(engine: Engine, *, is_reader: bool) -> None:
    """Set each new connection's pragmas, and begin transactions ourselves, so that DDL is transactional too."""

    def on_connect(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None
        for pragma in _pragmas(is_reader=is_reader):
            raw.execute(pragma)

    beginning = "BEGIN" if is_reader else "BEGIN IMMEDIATE"

    def on_begin(connection: Connection) -> None:
        if is_watched(connection):
            connection.exec_driver_sql(beginning)
        else:
            execute(connection, beginning)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


def is_watched(connection: Connection) -> bool:
    """Tell whether somebody listens to what is executed: then all of it has to go through SQLAlchemy."""
    return bool(connection.dispatch.before_cursor_execute)


def execute(connection: Connection, text: str, values: Sequence[Any] = ()) -> list[Any]:
    """Execute a statement at the driver, past SQLAlchemy, whose part takes longer than most statements; return bare rows.

    The caller has begun a transaction, and knows that this is SQLite.

    Raises:
        DBAPIError: As SQLAlchemy has it, without the values: they may be what people wrote.
    """
    try:
        return _driver(connection).execute(text, values).fetchall()
    except sqlite3.Error as error:
        raise _as_sqlalchemy_has_it(error, text) from error


def execute_each(connection: Connection, text: str, rows: Sequence[Sequence[Any]]) -> None:
    """As `execute`, for each row of values, of a statement that finds nothing."""
    try:
        _driver(connection).executemany(text, rows)
    except sqlite3.Error as error:
        raise _as_sqlalchemy_has_it(error, text) from error


def _driver(connection: Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.dbapi_connection
    driver: sqlite3.Connection = raw
    return driver


def _as_sqlalchemy_has_it(error: sqlite3.Error, text: str) -> Exception:
    return DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True)


def _pragmas(*, is_reader: bool) -> tuple[str, ...]:
    common = (f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}", "PRAGMA temp_store=MEMORY")
    if is_reader:
        return (
            *common,
            f"PRAGMA cache_size=-{_READ_CACHE_KB}",
            f"PRAGMA mmap_size={_MAP_BYTES}",
            "CREATE VIRTUAL TABLE temp.text_term USING fts5vocab(main, text_index, instance)",
            "PRAGMA query_only=ON",
        )
    return (
        *common,
        f"PRAGMA page_size={_PAGE_BYTES}",
        "PRAGMA auto_vacuum=INCREMENTAL",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=NORMAL",
        f"PRAGMA cache_size=-{_WRITE_CACHE_KB}",
        f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}",
        f"PRAGMA journal_size_limit={_LOG_LIMIT_BYTES}",
    )


def is_foreign(connection: Connection, *, has_tables: bool) -> bool:
    """Tell whether a file without our schema is another program's: never add tables to such a one."""
    if connection.dialect.name != "sqlite":
        return False
    return has_tables or connection.exec_driver_sql("PRAGMA application_id").scalar_one() not in {0, APPLICATION_ID}


def create_extras(connection: Connection) -> None:
    """Make what SQLModel cannot describe: the full-text index, and the file's mark."""
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    columns = ", ".join(TEXT_COLUMNS)
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS text_index USING fts5({columns}, "
        "content='', detail=column, tokenize='unicode61 remove_diacritics 2')"
    )


class _Holds(FunctionElement[bool]):
    """A column, and the pattern it is like."""

    inherit_cache = True
    type = Boolean()


@compiles(_Holds)
def _render_holds(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = element.clauses
    return str(compiler.process(column.ilike(pattern, escape="/").self_group(), **options))


@compiles(_Holds, "sqlite")
def _render_like(element: _Holds, compiler: SQLCompiler, **options: Any) -> str:
    # By itself it does not look at the case of letters; made lower beforehand, it takes twice as long.
    column, pattern = element.clauses
    return f"({compiler.process(column.like(pattern, escape='/'), **options)})"


def holds(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return the clause that a text is part of a column; case does not matter."""
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return _Holds(column, f"%{escaped}%")


def is_among(id_column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Return the clause that an id is in a list, which the parameter of that name gives as `pack_ids` makes it."""
    return id_column.in_(select(func.json_each(bindparam(name, type_=String)).table_valued("value").c.value))


def pack_ids(ids: Sequence[int]) -> str:
    """Return a list of ids as one value: to prepare a statement with one for each would take longer than to run it."""
    return f"[{','.join(map(str, ids))}]"


@dataclass(frozen=True, slots=True)
class Arm:
    """A way to exchanges that share something, by which the database gives their ids in order, a few at a time."""

    sql: str
    """A query up to its where clause, with `?` for each value."""
    values: tuple[Any, ...]
    id_column: str
    """Name of the exchange's id in it."""


def make_arm(connection: Connection, query: Select[int]) -> Arm:
    """Make an arm of a query that has a where clause and finds the ids of exchanges."""
    compiled: Any = query.compile(dialect=connection.dialect)
    (id_column,) = query.selected_columns
    return Arm(str(compiled), tuple(compiled.params[name] for name in compiled.positiontup), str(id_column))


def has_arms(connection: Connection) -> bool:
    """Tell whether arms can be read."""
    return connection.dialect.name == "sqlite"


def read_arm(connection: Connection, arm: Arm, ids: tuple[int, int], limit: int, *, is_descending: bool) -> list[int]:
    """Return the first ids of an arm between two ids, in order; inside a transaction that has begun."""
    direction = "DESC" if is_descending else "ASC"
    order = f"AND {arm.id_column} > ? AND {arm.id_column} < ? ORDER BY {arm.id_column} {direction} LIMIT ?"
    return [row[0] for row in execute(connection, f"{arm.sql} {order}", (*arm.values, *ids, limit))]


def count_arms(connection: Connection, arms: Sequence[Arm]) -> int:
    """Count the exchanges that any of the arms leads to; at most 400 arms."""
    if len(arms) == 1:
        counted = arms[0].sql.replace(arms[0].id_column, "count(*)", 1)
        return int(connection.exec_driver_sql(counted, arms[0].values).scalar_one())
    union = " UNION ".join(arm.sql for arm in arms) or "SELECT 0 WHERE 0"
    values = tuple(value for arm in arms for value in arm.values)
    counted = f"SELECT count(*) FROM ({union})"  # noqa: S608 - arms are our own SQL, their values are bound
    return int(connection.exec_driver_sql(counted, values).scalar_one())


def file_bytes(connection: Connection) -> int | None:
    """Bytes in use in the database (without its log and free pages); `None` where that cannot be told."""
    if connection.dialect.name != "sqlite":
        return None
    pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def checkpoint(engine: Engine, *, mode: str = "TRUNCATE") -> bool:
    """Move the write-ahead log into the database; False when a reader or writer was in the way."""
    if engine.dialect.name != "sqlite":
        return True
    raw = engine.raw_connection()
    try:
        busy = raw.cursor().execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        return busy is not None and busy[0] == 0
    except sqlite3.OperationalError:
        return False
    finally:
        raw.close()


class CommitCounter:
    """Tells whether anybody committed, in this process or another, for the price of a look at shared memory.

    Args:
        engine: Whose database; one of its connections is kept until `close`.
    """

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.raw_connection() if engine.dialect.name == "sqlite" else None

    def value(self) -> int | None:
        """Return a number that every commit of another connection changes; `None` where or while that cannot be told."""
        if self._connection is None:
            return None
        cursor = self._connection.cursor()
        try:
            return int(cursor.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.OperationalError:
            return None
        finally:
            cursor.close()

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def give_back(connection: Connection, pages: int) -> bool:
    """Give up to so many free pages back to the file system; False when there are none left. Inside a transaction."""
    if connection.dialect.name != "sqlite":
        return False
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA incremental_vacuum({pages:d})")
    cursor.fetchall()  # each step frees one page
    cursor.close()
    return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()) > 0


def find_damage(connection: Connection) -> list[str]:
    """Ask the database to check its own pages and indices; empty when sound."""
    if connection.dialect.name != "sqlite":
        return []
    lines = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check(20)"))]
    return [] if lines == ["ok"] else lines


def overwrite_deleted(connection: Connection) -> None:
    """Let what is deleted from now on be overwritten with zeros, where the engine can."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
