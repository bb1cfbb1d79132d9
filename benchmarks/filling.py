"""A large store within seconds: one day is written as the writer and the analysis write it, then repeated inside the database.

The copies are whole days apart, so sums by minute, hour and day move with them; each day has sessions, conversations and words
of its own, and other files from time to time. `find_wrong_sums` sums up the last days from their exchanges: a store that does
not add up measures nothing.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, select

from benchmarks.day import DAY_US, Recorded, make_day
from storage import models, rollups, session_totals
from storage.attributions import AttributionWriter
from storage.batches import batches
from storage.database import Database, open_database
from storage.feedback import FeedbackStore
from storage.ingest import Ingest, find_rows
from storage.ranges import MONTH_US
from tests import factories

START_US: Final = factories.START_US // DAY_US * DAY_US
DAY_COUNT: Final = 2_500
"""Exchanges of a day."""
_AT_ONCE = 500
_FILES_LAST_DAYS = 10
"""After so many days other files are read."""
_APART = 1_000
"""Between the ids of a file and of the one that stands for it later."""
_FAST = ("journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY", "threads=2")
_DURATIONS = frozenset({"upstream_connect_us", "latency_us", "proxy_us", "width_us"})
_TOKENS = frozenset({"session_id", "prompt_id", "agent_id", "chain_hash"})
"""Random ids: new ones each day."""
_COPIED = (
    "exchange",
    "exchange_head",
    "attribution",
    "body",
    "feedback",
    "exchange_source",
    "source_rollup",
    "source_day",
    "kind_rollup",
    "exchange_rollup",
    "session",
    "session_member",
    "source_rating_rollup",
)
"""Tables whose rows belong to a day."""


def fill(path: Path, count: int) -> int:
    """Make a database of so many exchanges, in whole days where it is more than one's; returns how many days it has."""
    day = make_day(min(count, DAY_COUNT), START_US)
    days = -(-count // len(day))
    database = open_database(path)
    write_day(database, day)
    database.checkpoint()
    database.close()
    if days > 1:
        repeat(path, day, days)
    return days


def write_day(database: Database, day: Sequence[Recorded]) -> None:
    """Store exchanges, attributions and ratings in the product's own way."""
    ingest, attributions, feedback = Ingest("benchmark"), AttributionWriter(), FeedbackStore(database)
    for first in range(0, len(day), _AT_ONCE):
        part = day[first : first + _AT_ONCE]
        for batch in batches([one.event for one in part]):
            with database.write() as connection:
                ingest.store(connection, batch)
            ingest.settle(batch)
        with database.write() as connection:
            rows = find_rows(connection, [one.event.exchange_id for one in part])
            for one in part:
                attributions.save(connection, rows[one.event.exchange_id], one.attribution, one.texts)
    for one in day:
        if one.rating is not None:
            feedback.rate(one.event.exchange_id, one.rating)


def repeat(path: Path, day: Sequence[Recorded], days: int) -> None:
    """Copy the day that is there to the days that follow."""
    raw = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _FAST:
            raw.execute(f"PRAGMA {pragma}").fetchall()
        raw.create_function("renamed", 2, _renamed, deterministic=True)
        raw.execute("CREATE TEMP TABLE copy (k INTEGER PRIMARY KEY)")
        raw.execute("BEGIN")
        raw.executemany("INSERT INTO copy VALUES (?)", ((k,) for k in range(1, days)))
        _copy_sources(raw, days)
        indices = _take_indices(raw)
        for name in _COPIED:
            raw.execute(_setting_aside(raw, name))
            raw.execute(_copying(raw, name, len(day)))
        raw.execute("UPDATE segment_use SET uses = uses * ?", (days,))
        raw.execute("UPDATE facet SET exchanges = exchanges * ?", (days,))
        raw.execute("DELETE FROM source_month")
        raw.execute(
            "INSERT INTO source_month SELECT bucket_us - bucket_us % ?, source_id, sum(exchanges), sum(tokens), "
            "sum(cost_nano_usd), sum(priced) FROM source_day GROUP BY 1, 2",
            (MONTH_US,),
        )
        raw.execute("DELETE FROM source_total")
        raw.execute(
            "INSERT INTO source_total SELECT source_id, sum(exchanges), sum(tokens), sum(cost_nano_usd), sum(priced) "
            "FROM source_month GROUP BY 1"
        )
        raw.executemany(
            "INSERT INTO text_index(rowid, title, user_text, assistant_text) VALUES (?, ?, ?, ?)", _texts(day, days)
        )
        for statement in indices:
            raw.execute(statement)
        raw.execute("COMMIT")
    finally:
        raw.close()


def _renamed(token: str | None, k: int) -> str | None:
    return hashlib.blake2b(f"{token}/{k}".encode(), digest_size=16).hexdigest() if token else token


def _copy_sources(raw: sqlite3.Connection, days: int) -> None:
    """Make the sources of the other days: the same ones, but for files."""
    names = "id, source_type, source_name, created_us, last_used_us, feedback_count, rating_sum"
    for number, kind, name, created_us, last_us, rated, rating_sum in raw.execute(f"SELECT {names} FROM source").fetchall():
        lasting = _FILES_LAST_DAYS if kind == "File" else days
        for first in range(0, days, lasting):
            many = min(lasting, days - first)
            span = (created_us + first * DAY_US, last_us + (first + many - 1) * DAY_US)
            row = (number + _APART * (first // lasting), kind, f"{name}{first or ''}", *span, rated * many, rating_sum * many)
            raw.execute("INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _take_indices(raw: sqlite3.Connection) -> list[str]:
    """Drop the indices: they are made much faster afterwards."""
    names = ", ".join(f"'{name}'" for name in _COPIED)
    query = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
    found = raw.execute(query).fetchall()
    for name, _ in found:
        raw.execute(f"DROP INDEX {name}")
    return [statement for _, statement in found]


def _copying(raw: sqlite3.Connection, name: str, count: int) -> str:
    """Make the statement that copies a table's rows of the day to all other days, in their order."""
    types = {row[1]: row[2] for row in raw.execute(f"PRAGMA table_info({name})")}
    values = {column: _moved(column, kind, count) for column, kind in types.items()}
    if name in {"body", "feedback"}:
        del values["id"]
    return (
        f"INSERT INTO {name} ({', '.join(values)}) SELECT {', '.join(values.values())} "
        f"FROM copy CROSS JOIN day_{name} d ORDER BY copy.k"
    )


def _setting_aside(raw: sqlite3.Connection, name: str) -> str:
    """Make the statement that copies a table's day, and says how far apart the ids of its sources are."""
    apart = ""
    if "source_id" in {row[1] for row in raw.execute(f"PRAGMA table_info({name})")}:
        files = "SELECT id FROM source WHERE source_type = 'File'"
        apart = f", CASE WHEN source_id IN ({files}) THEN {_APART} ELSE 0 END AS apart"
    return f"CREATE TEMP TABLE day_{name} AS SELECT *{apart} FROM {name}"


def _moved(column: str, kind: str, count: int) -> str:
    """Say what a column's value is on the day `copy.k`."""
    if column in {"bucket_us", "title_us"} or (column.endswith("_us") and column not in _DURATIONS):
        return f"d.{column} + copy.k * {DAY_US}"
    if column in {"id", "previous_id"} or (column == "exchange_id" and kind == "INTEGER"):
        return f"d.{column} + copy.k * {count}"
    if column == "exchange_id":
        return f"printf('%012x', (d.started_us + copy.k * {DAY_US}) / 1000) || substr(d.exchange_id, 13)"
    if column in _TOKENS:
        return f"renamed(d.{column}, copy.k)"
    if column == "value":
        return "CASE d.kind WHEN 'model' THEN d.value ELSE renamed(d.value, copy.k) END"
    return f"d.source_id + d.apart * (copy.k / {_FILES_LAST_DAYS})" if column == "source_id" else f"d.{column}"


def _texts(day: Sequence[Recorded], days: int) -> Iterator[tuple[int, str, str, str]]:
    for k in range(1, days):
        for number, one in enumerate(day, k * len(day) + 1):
            yield number, one.texts.title, f"{one.texts.user_text} number{number}", one.texts.assistant_text


def find_wrong_sums(database: Database, since_us: int) -> list[str]:
    """Name the tables of sums that are not what their exchanges come to from a moment on."""
    sums: dict[Table, Callable[[Any], Mapping[Any, Any]]] = {
        models.ExchangeRollupRow.__table__: lambda connection: rollups.sum_exchanges(connection, since_us),
        models.SourceRollupRow.__table__: lambda connection: rollups.sum_sources(connection, since_us),
    }
    wrong = []
    with database.read() as connection:
        for table, recompute in sums.items():
            keys = [column.name for column in table.primary_key]
            rows = connection.execute(select(table).where(table.c.bucket_us >= since_us)).mappings()
            stored = {tuple(row[key] for key in keys): {n: v for n, v in row.items() if n not in keys} for row in rows}
            wrong += [table.name] if stored != recompute(connection) else []
        sessions = models.SessionRow.__table__
        kept = connection.execute(select(sessions).where(sessions.c.first_us >= since_us)).mappings()
        if {row["session_id"]: dict(row) for row in kept} != session_totals.sum_sessions(connection, since_us)[0]:
            wrong.append(sessions.name)
    return wrong
