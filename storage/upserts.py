"""Adding amounts to rows that may not be there yet, on any database, many rows in one statement where it can."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Update, bindparam

from storage.statements import Prepared

_UPSERTING = frozenset({"sqlite", "postgresql"})
"""Databases that can insert or update in one statement."""


def update_columns(table: Table, columns: Sequence[str]) -> Update:
    """Make the statement that sets these columns of the row whose `id` is the parameter `row_id`."""
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    return table.update().where(table.c.id == bindparam("row_id")).values(values)


def add_amounts(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add each row's amounts to the row of the same primary key, or insert it.

    Args:
        connection: Inside a transaction.
        table: Every column that is not of its primary key is an amount.
        rows: All with the same columns: the key and the amounts.
    """
    if not rows:
        return
    if connection.dialect.name not in _UPSERTING:
        for row in rows:
            _add_one(connection, table, row)
        return
    _upsert(connection.dialect.name, table, tuple(rows[0]), adds=True).run(connection, rows)


def replace_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, replacing those of the same (single-column or compound) primary key."""
    if not rows:
        return
    if connection.dialect.name not in _UPSERTING:
        for row in rows:
            connection.execute(table.delete().where(*_is_row(table, row)))
        connection.execute(table.insert(), list(rows))
        return
    _upsert(connection.dialect.name, table, tuple(rows[0]), adds=False).run(connection, rows)


@lru_cache(maxsize=64)
def _upsert(dialect: str, table: Table, columns: tuple[str, ...], *, adds: bool) -> Prepared:
    """Make a statement once: putting one together costs more than running it."""
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    new = statement.excluded
    changes = {name: table.c[name] + new[name] if adds else new[name] for name in columns if name not in keys}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=changes), columns)


def _insert(dialect: str, table: Table) -> Any:
    # Each in its place: loading the other database's dialect takes as long as all of our tables.
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _add_one(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    keys = {column.name for column in table.primary_key}
    amounts = {name: table.c[name] + amount for name, amount in row.items() if name not in keys}
    updated = connection.execute(table.update().where(*_is_row(table, row)).values(amounts))
    if not updated.rowcount:
        connection.execute(table.insert(), dict(row))


def _is_row(table: Table, row: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [column == row[column.name] for column in table.primary_key]
