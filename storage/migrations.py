"""Bringing an older database up to date, one numbered step after the other, all in the opening transaction.

A new database gets today's tables at once and all steps marked as done. A step is never edited after a release: a change
of `models.py` needs a new step. A database from a newer program is refused, never touched.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex
from sqlmodel import SQLModel

from storage import facets, models, rollups, sqlite
from storage.errors import DatabaseTooNewError, DatabaseUnusableError, MigrationError

_VERSIONS = models.SchemaVersionRow.__table__


@dataclass(frozen=True, slots=True)
class Migration:
    """One step."""

    version: int
    """Ascending from 1, no gaps."""
    name: str
    apply: Callable[[Connection], None]
    """Changes a database of the version before; runs inside a transaction."""


def m001_first(connection: Connection) -> None:
    """Make the tables of the first release."""
    SQLModel.metadata.create_all(connection)
    sqlite.create_extras(connection)


def m002_grounds(connection: Connection) -> None:
    """Let pieces be compressed against others; facts that were learnt are found by their key alone."""
    models.LoosePieceRow.__table__.create(connection, checkfirst=True)
    columns = {column["name"] for column in inspect(connection).get_columns("piece")}
    for name in ("ground_id", "start"):
        if name not in columns:
            connection.execute(text(f"ALTER TABLE piece ADD COLUMN {name} INTEGER"))
    connection.execute(text("DROP INDEX IF EXISTS ix_learned_overhead_learned_us"))


def m003_facets(connection: Connection) -> None:
    """Count what exchanges have in common, sum up by kind and month, and keep an exchange's sources side by side."""
    for row in (models.FacetRow, models.KindRollupRow, models.SourceMonthRow):
        row.__table__.create(connection, checkfirst=True)
    if "facet_id" not in {column["name"] for column in inspect(connection).get_columns("exchange")}:
        connection.execute(text("ALTER TABLE exchange ADD COLUMN facet_id INTEGER"))
    _turn_sources(connection)
    for table in (models.ExchangeRow.__table__, models.SessionMemberRow.__table__):
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    rollups.recompute_wider(connection)
    facets.recompute(connection)


def m004_figures(connection: Connection) -> None:
    """Let the indices of times and figures say what an exchange has in common with others."""
    for name in ("started_us", "latency_us", "cost_nano_usd", "tokens"):
        connection.execute(text(f"DROP INDEX IF EXISTS ix_exchange_{name}"))
    for index in models.ExchangeRow.__table__.indexes:
        connection.execute(CreateIndex(index, if_not_exists=True))


def m005_totals(connection: Connection) -> None:
    """Keep what each source came to in all."""
    models.SourceTotalRow.__table__.create(connection, checkfirst=True)
    rollups.recompute_totals(connection)


def _turn_sources(connection: Connection) -> None:
    """Order `exchange_source` by exchange, no longer by source."""
    table = models.ExchangeSourceRow.__table__
    if inspect(connection).get_pk_constraint(table.name)["constrained_columns"][0] == "exchange_id":
        return
    connection.execute(text("ALTER TABLE exchange_source RENAME TO exchange_source_before"))
    table.create(connection)
    names = ", ".join(column.name for column in table.columns)
    moved = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM exchange_source_before ORDER BY 1, 2"  # noqa: S608 - names of our own columns
    connection.execute(text(moved))
    connection.execute(text("DROP TABLE exchange_source_before"))


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "first", m001_first),
    Migration(2, "grounds", m002_grounds),
    Migration(3, "facets", m003_facets),
    Migration(4, "figures", m004_figures),
    Migration(5, "totals", m005_totals),
)


def migrate(connection: Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """Bring the database up to date and return its version.

    Raises:
        DatabaseTooNewError: A newer program has changed it.
        DatabaseUnusableError: It is another program's.
        MigrationError: A step failed; the caller's transaction must be rolled back.
    """
    newest = migrations[-1].version
    current = read_version(connection)
    if current is None:
        _refuse_foreign(connection)
        m001_first(connection)
        _record(connection, migrations)
        return newest
    if current > newest:
        raise DatabaseTooNewError(
            f"the database has version {current}, this program knows {newest}: update Assay, or use another file (--database)"
        )
    for step in migrations:
        if step.version > current:
            _apply(connection, step)
    return newest


def read_version(connection: Connection) -> int | None:
    """Read the schema's version; `None`: no table of ours is there."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    versions = connection.execute(select(_VERSIONS.c.version)).scalars().all()
    return max(versions, default=None)


def _refuse_foreign(connection: Connection) -> None:
    """Never add tables to a file that another program has made."""
    ours = set(SQLModel.metadata.tables)
    found = set(inspect(connection).get_table_names())
    if sqlite.is_foreign(connection, has_tables=bool(found)):
        raise DatabaseUnusableError("the file is another program's database; name another file with --database")
    if found & ours:
        raise DatabaseUnusableError(f"the database already has tables of these names: {', '.join(sorted(found & ours))}")


def _apply(connection: Connection, step: Migration) -> None:
    try:
        step.apply(connection)
    except DBAPIError as error:
        reason = f"{error.orig}"
        raise MigrationError(
            f"step {step.version} ({step.name}) to a newer database failed: {reason}; nothing was changed"
        ) from error
    _record(connection, (step,))


def _record(connection: Connection, steps: tuple[Migration, ...]) -> None:
    now_us = time.time_ns() // 1000
    connection.execute(
        _VERSIONS.insert(), [{"version": step.version, "name": step.name, "applied_us": now_us} for step in steps]
    )
