"""Statements executed often, put together once: what SQLAlchemy does for each execution costs several times the work itself.

They are SQLAlchemy's own, compiled for SQLite and then handed to its driver as text with bare values: strings, numbers, bytes,
flags and `None` need no conversion there. On any other database they run as SQLAlchemy runs them. A row that is found is a
named tuple in both cases. Errors are SQLAlchemy's, without the values, which are what people wrote.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Executable, Insert, Select, Table, bindparam, select

from storage import sqlite

_DRIVER = "pysqlite"
_ARITIES = (1, 2, 4, 8, 16, 64, 256)
"""Values of a list, or rows of an insert, in one statement; each number is compiled once."""

_NAMES = tuple(f"value_{number}" for number in range(_ARITIES[-1]))
_NONE: Mapping[str, Any] = {}

type Values = Mapping[str, Any]
type Compiled = tuple[str, tuple[str, ...]]
"""Text of a statement, and the names of its parameters in their order."""


def _is_fast(connection: Connection) -> bool:
    return connection.dialect.driver == _DRIVER


def _find(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    """Execute a statement and return all rows, as bare tuples."""
    if sqlite.is_watched(connection):
        return connection.exec_driver_sql(text, tuple(values)).all()
    _begin(connection)
    return sqlite.execute(connection, text, values)


def _run(connection: Connection, text: str, rows: list[tuple[Any, ...]]) -> None:
    """Execute a statement that finds nothing, for each row of values."""
    if sqlite.is_watched(connection):
        connection.exec_driver_sql(text, rows)
        return
    _begin(connection)
    if len(rows) == 1:
        sqlite.execute(connection, text, rows[0])
    else:
        sqlite.execute_each(connection, text, rows)


def _begin(connection: Connection) -> None:
    """Begin a transaction where there is none, as SQLAlchemy itself does at a first statement."""
    if not connection.in_transaction():
        connection.begin()


def _compile(connection: Connection, statement: Any, columns: Sequence[str] | None) -> Compiled:
    compiled = statement.compile(dialect=connection.dialect, column_keys=columns)
    return str(compiled), tuple(compiled.positiontup)


def _picker(names: Sequence[str]) -> Callable[[Values], tuple[Any, ...]]:
    """Make what takes these values out of a row, in order."""
    if len(names) == 1:
        (name,) = names
        return lambda row: (row[name],)
    return itemgetter(*names)


class Prepared:
    """A statement whose parameters are named values.

    Args:
        statement: Insert, update, delete or select; every value in it is a parameter.
        columns: Names of the values that each row brings; for an insert, its columns.
    """

    def __init__(self, statement: Executable, columns: Sequence[str]) -> None:
        self._statement = statement
        self._columns = tuple(columns)
        self._text = ""
        self._pick: Callable[[Values], tuple[Any, ...]] | None = None
        self._make = _row_maker(statement)

    def run(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Execute it for each row."""
        if not rows:
            return
        if not _is_fast(connection):
            connection.execute(self._statement, list(rows))
            return
        pick = self._pick or self._prepare(connection)
        _run(connection, self._text, [pick(row) for row in rows])

    def fetch(self, connection: Connection, values: Values) -> Sequence[Any]:
        """Execute it once and return what it finds; flags come back as numbers."""
        found = self.fetch_bare(connection, values)
        return list(map(self._make, found)) if _is_fast(connection) else found

    def fetch_bare(self, connection: Connection, values: Values) -> Sequence[Sequence[Any]]:
        """As `fetch`, but rows have no names: thousands are found in two thirds of the time."""
        if not _is_fast(connection):
            return connection.execute(self._statement, values).all()
        pick = self._pick or self._prepare(connection)
        return _find(connection, self._text, pick(values))

    def _prepare(self, connection: Connection) -> Callable[[Values], tuple[Any, ...]]:
        self._text, names = _compile(connection, self._statement, self._columns)
        pick = self._pick = _picker(names) if names else lambda _row: ()
        return pick


class Lookup:
    """Finds rows by a list of values of one column.

    Args:
        query: What of them; other conditions may have named parameters.
        column: Which column.
    """

    def __init__(self, query: Select[Any], column: Column[Any]) -> None:
        self._query = query
        self._column = column
        self._make = _row_maker(query)
        self._prepared: dict[int, tuple[str, Callable[[Values], tuple[Any, ...]]]] = {}

    def fetch(self, connection: Connection, values: Iterable[Any], named: Values = _NONE) -> Iterator[Any]:
        """Return the rows that have one of the values; order is up to the database, flags come back as numbers."""
        for some in _slices(list(dict.fromkeys(values))):
            if not _is_fast(connection):
                yield from connection.execute(self._query.where(self._column.in_(some)), named).all()
                continue
            arity = next(number for number in _ARITIES if number >= len(some))
            text, pick = self._prepared.get(arity) or self._prepare(connection, arity)
            filled = some + some[-1:] * (arity - len(some))
            bound = pick({**dict(zip(_NAMES, filled, strict=False)), **named}) if named else filled
            yield from map(self._make, _find(connection, text, bound))

    def _prepare(self, connection: Connection, arity: int) -> tuple[str, Callable[[Values], tuple[Any, ...]]]:
        parameters = [bindparam(name, type_=self._column.type) for name in _NAMES[:arity]]
        text, names = _compile(connection, self._query.where(self._column.in_(parameters)), None)
        found = self._prepared[arity] = text, _picker(names)
        return found


class Adding:
    """Inserts rows and returns the ids that they were given.

    Args:
        table: With a key of its own, `id`, that the database gives.
        key: Another unique column.
        columns: What each row brings, the key among them.
    """

    def __init__(self, table: Table, key: str, columns: Sequence[str]) -> None:
        self._table = table
        self._key = key
        self._columns = tuple(columns)
        self._returning = (table.c[key], table.c.id)
        self._texts: dict[int, tuple[str, tuple[tuple[int, str], ...]]] = {}

    def run(self, connection: Connection, rows: Sequence[Values]) -> dict[Any, int]:
        """Insert and return the id of each by its key."""
        ids: dict[Any, int] = {}
        if not rows:
            return ids
        if not _is_fast(connection):
            connection.execute(self._table.insert(), list(rows))
            is_new = self._table.c[self._key].in_([row[self._key] for row in rows])
            return {row[0]: row[1] for row in connection.execute(select(*self._returning).where(is_new))}
        start = 0
        while start < len(rows):
            arity = max(number for number in _ARITIES if number <= len(rows) - start)
            text, order = self._texts.get(arity) or self._prepare(connection, arity)
            values = [rows[start + number][name] for number, name in order]
            ids.update(_find(connection, text, values))
            start += arity
        return ids

    def _prepare(self, connection: Connection, arity: int) -> tuple[str, tuple[tuple[int, str], ...]]:
        rows = [_numbered(number, self._columns) for number in range(arity)]
        statement: Insert = self._table.insert().values(rows)
        text, names = _compile(connection, statement.returning(*self._returning), None)
        order = tuple((int(number), name) for number, _, name in (each.partition(" ") for each in names))
        found = self._texts[arity] = text, order
        return found


def _row_maker(statement: Executable) -> Callable[[Sequence[Any]], Any]:
    """Make what makes named tuples of the rows that a statement finds."""
    names = [column.name for column in statement.selected_columns] if isinstance(statement, Select) else []
    kind: Any = namedtuple("Row", names)  # type: ignore[misc] # noqa: PYI024 - its fields are known only now
    make: Callable[[Sequence[Any]], Any] = kind._make
    return make


def _numbered(number: int, columns: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(f"{number} {name}") for name in columns}


def _slices[Item](items: list[Item]) -> Iterator[list[Item]]:
    return (items[start : start + _ARITIES[-1]] for start in range(0, len(items), _ARITIES[-1]))
