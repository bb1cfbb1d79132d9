"""Adding amounts to rows that may not be there yet, on any database, many rows in one statement where it can."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def add_amounts(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add each row's amounts to the row of the same primary key, or insert it.

    Args:
        connection: Inside a transaction.
        table: Every column that is not of its primary key is an amount.
        rows: All with the same columns: the key and the amounts.
    """
    if not rows:
        return
    insert = _INSERTS.get(connection.dialect.name)
    if insert is None:
        for row in rows:
            _add_one(connection, table, row)
        return
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    amounts = {name: table.c[name] + statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=amounts), list(rows))


def replace_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, replacing those of the same (single-column or compound) primary key."""
    if not rows:
        return
    insert = _INSERTS.get(connection.dialect.name)
    keys = [column.name for column in table.primary_key]
    if insert is None:
        for row in rows:
            connection.execute(table.delete().where(*(table.c[key] == row[key] for key in keys)))
        connection.execute(table.insert(), list(rows))
        return
    statement = insert(table)
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def _add_one(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    keys = [column.name for column in table.primary_key]
    amounts = {name: table.c[name] + amount for name, amount in row.items() if name not in keys}
    updated = connection.execute(table.update().where(*(table.c[key] == row[key] for key in keys)).values(amounts))
    if not updated.rowcount:
        connection.execute(table.insert(), dict(row))
